//! What optimiser steps in one pass over memory share, whatever holds the memory.

use crate::step::adam_rule::Adam;

/// How many entries one thread works on at a time: three arrays of them fit a cache.
pub(super) const CHUNK: usize = 1 << 14;

/// The numbers of a step of Adam that are the same for all entries.
#[derive(Clone, Copy)]
pub(super) struct AdamEntry {
    beta_1: [f32; 2],
    beta_2: [f32; 2],
    epsilon: f32,
    rate: f32,
}

impl AdamEntry {
    /// At a rate that includes the bias correction.
    pub(super) fn new(adam: &Adam, rate: f64) -> Self {
        let parts = |beta: f64| [beta as f32, (1.0 - beta) as f32];
        Self {
            beta_1: parts(adam.beta_1),
            beta_2: parts(adam.beta_2),
            epsilon: adam.epsilon as f32,
            rate: rate as f32,
        }
    }

    /// The weight after a step with gradient `g`, which moves both moments. Each operation rounds by itself, in
    /// the order of [`Adam`]'s tensor operations.
    #[inline(always)]
    pub(super) fn step(&self, weight: f32, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        *m = *m * self.beta_1[0] + g * self.beta_1[1];
        *v = *v * self.beta_2[0] + g * g * self.beta_2[1];
        weight - *m / (v.sqrt() + self.epsilon) * self.rate
    }
}
