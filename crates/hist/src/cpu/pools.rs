//! The memory that is kept for each type of pixels.

use super::order::Order;
use super::simd::Real;
use super::spare::{self, Spares};

/// Pixels for which memory is kept from one call to the next.
pub(crate) trait Pooled: Real {
    /// Memory for sorting pixels.
    fn orders() -> &'static Spares<Order<Self>>;
    /// Memory for tables.
    fn tables() -> &'static Spares<Vec<Self>>;
    /// Memory for the gradients that a forward pass finds for the backward pass.
    fn gradients() -> &'static Spares<Vec<Self>>;
}

impl Pooled for f32 {
    fn orders() -> &'static Spares<Order<Self>> {
        static ORDERS: Spares<Order<f32>> = Spares::new();
        &ORDERS
    }

    fn tables() -> &'static Spares<Vec<Self>> {
        static TABLES: Spares<Vec<f32>> = Spares::new();
        &TABLES
    }

    fn gradients() -> &'static Spares<Vec<Self>> {
        static GRADIENTS: Spares<Vec<f32>> = Spares::new();
        &GRADIENTS
    }
}

impl Pooled for f64 {
    fn orders() -> &'static Spares<Order<Self>> {
        static ORDERS: Spares<Order<f64>> = Spares::new();
        &ORDERS
    }

    fn tables() -> &'static Spares<Vec<Self>> {
        static TABLES: Spares<Vec<f64>> = Spares::new();
        &TABLES
    }

    fn gradients() -> &'static Spares<Vec<Self>> {
        static GRADIENTS: Spares<Vec<f64>> = Spares::new();
        &GRADIENTS
    }
}

/// Gives back the memory that is kept from one call to the next.
pub(crate) fn release() {
    fn of<T: Pooled>() {
        T::orders().clear();
        T::tables().clear();
        T::gradients().clear();
    }
    of::<f32>();
    of::<f64>();
    spare::clear_zeros();
}
