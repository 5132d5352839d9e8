//! Parity with the official code, number by number.
//!
//! `HUENET_GOLDEN_DIR` names another folder of cases of the same form.
