//! Flex.
use burn_flex::Flex;

use super::HistogramBackend;

impl HistogramBackend for Flex {}
