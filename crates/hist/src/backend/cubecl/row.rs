//! What the two losses of a row share.

use cubecl::prelude::*;

use crate::terms::{EmdKind, StructureKind};

/// The units of the cube that has a row.
pub(super) const UNITS: u32 = 256;

/// Where the sums of a row are, and what is made of them.
#[derive(CubeLaunch, CubeType)]
pub(super) struct Terms {
    /// The words of a row's sums.
    pub(super) words: u32,
    /// The chunks of a row that can each have a pixel without a place.
    pub(super) chunks: u32,
    /// What makes a share of a sum.
    pub(super) scale: f32,
    /// `L`
    pub(super) width: f32,
    #[cube(comptime)]
    pub(super) distance: EmdKind,
    #[cube(comptime)]
    pub(super) cyclic: bool,
    #[cube(comptime)]
    pub(super) structure: StructureKind,
}

/// The sum of what all units have, in their order.
#[cube]
pub(super) fn total(partial: &mut SharedMemory<f32>, value: f32) -> f32 {
    sync_cube();
    partial[usize::cast_from(UNIT_POS)] = value;
    sync_cube();
    let mut sum = 0.0f32;
    for unit in 0..comptime!(UNITS) {
        sum += partial[usize::cast_from(unit)];
    }
    sum
}
