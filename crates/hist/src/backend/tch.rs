//! LibTorch.
use burn_tch::{LibTorch, TchElement};

use super::HistogramBackend;

impl<E: TchElement> HistogramBackend for LibTorch<E> {}
