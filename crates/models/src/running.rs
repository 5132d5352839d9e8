//! Statistics that a network carries along without training them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{
    AutodiffModule, Content, Devices, HasAutodiffModule, Module, ModuleDisplay,
    ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param, ParamId,
};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

/// A vector that the forward pass updates behind a shared reference: the running mean or
/// variance of a batch normalisation.
///
/// It is part of the record, of `valid()` and of a visit, like a parameter, but never has a
/// gradient. A clone is independent: updating one leaves the other alone. (Burn's own
/// `RunningState` shares its value between clones, averages over threads in the order of a hash
/// map, and is one update late in a visit.)
pub struct RunningVector<B: Backend> {
    id: ParamId,
    value: Mutex<Tensor<B, 1>>,
}

impl<B: Backend> RunningVector<B> {
    /// Starts at `value`.
    ///
    /// # Shapes
    /// - `value`: `[channels]`
    pub fn new(value: Tensor<B, 1>) -> Self {
        Self::with_id(ParamId::new(), value)
    }

    fn with_id(id: ParamId, value: Tensor<B, 1>) -> Self {
        Self {
            id,
            value: Mutex::new(value.detach()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tensor<B, 1>> {
        // A tensor is replaced whole, so a panic elsewhere cannot have left half of one.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_inner(self) -> (ParamId, Tensor<B, 1>) {
        (
            self.id,
            self.value
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The current value.
    ///
    /// # Shapes
    /// - output: `[channels]`
    pub fn value(&self) -> Tensor<B, 1> {
        self.lock().clone()
    }

    /// Replaces the value by `update(value)`, in one step as seen from other threads.
    pub fn update(&self, update: impl FnOnce(Tensor<B, 1>) -> Tensor<B, 1>) {
        let mut value = self.lock();
        *value = update(value.clone()).detach();
    }

    fn param(&self) -> Param<Tensor<B, 1>> {
        Param::initialized(self.id, self.value())
    }
}

impl<B: Backend> Clone for RunningVector<B> {
    fn clone(&self) -> Self {
        Self::with_id(self.id, self.value())
    }
}

impl<B: Backend> std::fmt::Debug for RunningVector<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningVector")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> std::fmt::Display for RunningVector<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RunningVector({})", self.id)
    }
}

impl<B: Backend> ModuleDisplayDefault for RunningVector<B> {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_formatted(self).optional()
    }
}

impl<B: Backend> ModuleDisplay for RunningVector<B> {}

impl<B: Backend> Module<B> for RunningVector<B> {
    type Record = Param<Tensor<B, 1>>;

    fn collect_devices(&self, mut devices: Devices<B>) -> Devices<B> {
        let device = self.lock().device();
        if !devices.contains(&device) {
            devices.push(device);
        }
        devices
    }

    fn fork(self, device: &B::Device) -> Self {
        self.to_device(device)
    }

    fn to_device(self, device: &B::Device) -> Self {
        let (id, value) = self.into_inner();
        Self::with_id(id, value.to_device(device))
    }

    fn visit<V: ModuleVisitor<B>>(&self, visitor: &mut V) {
        visitor.visit_float(&self.param());
    }

    fn map<M: ModuleMapper<B>>(self, mapper: &mut M) -> Self {
        let (id, value, _) = mapper.map_float(self.param()).consume();
        Self::with_id(id, value)
    }

    fn load_record(self, record: Self::Record) -> Self {
        let device = self.lock().device();
        let (id, value, _) = record.consume();
        Self::with_id(id, value.to_device(&device))
    }

    fn into_record(self) -> Self::Record {
        self.param()
    }
}

impl<B: AutodiffBackend> AutodiffModule<B> for RunningVector<B> {
    type InnerModule = RunningVector<B::InnerBackend>;

    fn valid(&self) -> Self::InnerModule {
        RunningVector::with_id(self.id, self.value().inner())
    }

    fn from_inner(module: Self::InnerModule) -> Self {
        let (id, value) = module.into_inner();
        Self::with_id(id, Tensor::from_inner(value))
    }
}

impl<B: AutodiffBackend> HasAutodiffModule<B> for RunningVector<B::InnerBackend> {
    type TrainModule = RunningVector<B>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::DType;

    type B = burn_flex::Flex;

    fn vector(values: [f32; 2]) -> Tensor<B, 1> {
        Tensor::from_data(values, (&Default::default(), DType::F32))
    }

    #[test]
    fn a_clone_is_independent_and_keeps_the_id() {
        let running = RunningVector::new(vector([1.0, 2.0]));
        let clone = running.clone();
        clone.update(|value| value.mul_scalar(3.0));
        assert_eq!(running.value().into_data(), vector([1.0, 2.0]).into_data());
        assert_eq!(clone.value().into_data(), vector([3.0, 6.0]).into_data());
        assert_eq!(running.id, clone.id);
    }

    #[test]
    fn the_record_holds_the_latest_update() {
        let running = RunningVector::new(vector([1.0, 2.0]));
        running.update(|value| value.add_scalar(1.0));
        let other = RunningVector::new(vector([0.0, 0.0]));
        let loaded = other.clone().load_record(running.into_record());
        assert_eq!(loaded.value().into_data(), vector([2.0, 3.0]).into_data());
        assert_eq!(other.value().into_data(), vector([0.0, 0.0]).into_data());
    }
}
