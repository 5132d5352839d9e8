//! Small scenes drawn by code. They have enough colour, shape and texture to show a colour transfer.

use std::f32::consts::{PI, TAU};

use ::image::RgbImage;
use rand::{Rng, RngExt};

use crate::random::{Purpose, stream};

/// Height and width of a scene, in pixels.
pub(super) const EDGE: u32 = 128;

type Colour = [f32; 3];

/// A scene: the colour of each point, both coordinates in [0, 1], y downwards.
type Painter = Box<dyn Fn(f32, f32) -> Colour>;

/// Scene number `index` of a seed. The kinds take turns.
pub(super) fn draw(seed: u64, index: u64) -> (&'static str, RgbImage) {
    let mut rng = stream(Purpose::Scene, seed, 0, index);
    let noise = Noise(rng.next_u32());
    let (name, painter) = match index % 4 {
        0 => ("sunset", sunset(&mut rng, noise)),
        1 => ("hills", hills(&mut rng, noise)),
        2 => ("flower", flower(&mut rng, noise)),
        _ => ("shapes", shapes(&mut rng, noise)),
    };
    let point = |pixel: u32| (pixel as f32 + 0.5) / EDGE as f32;
    let image = RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let colour = painter(point(x), point(y));
        colour
            .map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
            .into()
    });
    (name, image)
}

/// The sun low over the sea.
fn sunset(rng: &mut impl Rng, noise: Noise) -> Painter {
    let hue = rng.random_range(-0.1..0.16);
    let high = hsv(
        hue + rng.random_range(0.45..0.7),
        rng.random_range(0.4..0.9),
        0.55,
    );
    let low = hsv(hue, rng.random_range(0.6..1.0), 1.0);
    let light = hsv(hue + 0.06, 0.35, 1.0);
    let horizon = rng.random_range(0.45..0.7);
    let sun = [
        rng.random_range(0.2..0.8),
        horizon - rng.random_range(0.02..0.2),
    ];
    let radius = rng.random_range(0.05..0.11);
    Box::new(move |x, y| {
        let distance = (x - sun[0]).hypot(y - sun[1]);
        let glow = (-distance * 5.0).exp();
        if y < horizon {
            let cloud = smooth(0.5, 0.8, noise.layered(x * 3.0, y * 9.0));
            let sky = mix(high, low, (y / horizon).powf(1.5));
            let sky = mix(sky, mix(low, light, 0.5), 0.5 * cloud);
            let sky = mix(sky, light, 0.7 * glow);
            mix(light, sky, smooth(radius * 0.94, radius * 1.06, distance))
        } else {
            let depth = (y - horizon) / (1.0 - horizon);
            let wave = noise.layered(x * 6.0, 4.0 / (depth + 0.08));
            let path = (-((x - sun[0]) / (0.06 + 0.15 * depth)).powi(2)).exp();
            let water = mix(mix(low, high, 0.4 + 0.6 * depth), [0.0; 3], 0.35);
            let water = mix(water, [0.0, 0.0, 0.1], 0.5 * smooth(0.35, 0.7, wave));
            mix(water, light, path * smooth(0.45, 0.6, wave))
        }
    })
}

/// Ridges behind one another, paler with distance.
fn hills(rng: &mut impl Rng, noise: Noise) -> Painter {
    let sky_hue = rng.random_range(0.5..0.68);
    let sky = [hsv(sky_hue, 0.65, 0.85), hsv(sky_hue - 0.04, 0.2, 1.0)];
    // Spring to autumn, now and then winter.
    let land_hue = rng.random_range(0.05..0.42);
    let saturation = if rng.random_bool(0.2) {
        0.1
    } else {
        rng.random_range(0.45..0.85)
    };
    let ridges: [(f32, f32, Colour); 4] = std::array::from_fn(|ridge| {
        let near = ridge as f32 / 3.0;
        let land = hsv(land_hue, saturation, 0.75 - 0.4 * near);
        let colour = mix(sky[1], land, 0.3 + 0.7 * near);
        (
            0.35 + 0.17 * ridge as f32,
            rng.random_range(2.0..5.0) - near,
            colour,
        )
    });
    Box::new(move |x, y| {
        let cloud = smooth(0.48, 0.75, noise.layered(x * 3.0, y * 6.0));
        let mut colour = mix(mix(sky[0], sky[1], y * 2.0), [1.0; 3], cloud);
        for (ridge, &(height, frequency, land)) in ridges.iter().enumerate() {
            let line = noise.layered(x * frequency + 17.0 * ridge as f32, 0.5 + ridge as f32);
            let crest = height + 0.3 * (line - 0.5);
            if y > crest {
                let texture = noise.layered(x * 22.0, y * 22.0 + 31.0 * ridge as f32);
                let shade = 0.7 + 0.6 * texture - 0.5 * (y - crest);
                colour = land.map(|value| value * shade);
            }
        }
        colour
    })
}

/// One blossom before leaves.
fn flower(rng: &mut impl Rng, noise: Noise) -> Painter {
    let leaf = rng.random_range(0.22..0.42);
    let leaves = [hsv(leaf, 0.8, 0.2), hsv(leaf - 0.06, 0.7, 0.6)];
    // Any hue but that of leaves.
    let hue = rng.random_range(0.5..1.15);
    let saturation = rng.random_range(0.35..1.0);
    let petal = [
        hsv(hue, saturation, 0.95),
        hsv(hue + rng.random_range(-0.1..0.1), 0.9, 0.6),
    ];
    let heart = hsv(
        rng.random_range(0.08..0.16),
        0.9,
        rng.random_range(0.35..1.0),
    );
    let petals = rng.random_range(5..10_u32) as f32;
    let turn = rng.random_range(0.0..TAU);
    let centre = [rng.random_range(0.38..0.62), rng.random_range(0.38..0.62)];
    let size = rng.random_range(0.28..0.42);
    Box::new(move |x, y| {
        let (dx, dy) = (x - centre[0], y - centre[1]);
        let (radius, angle) = (dx.hypot(dy) / size, dy.atan2(dx) + turn);
        let background = smooth(0.3, 0.7, noise.layered(x * 5.0, y * 5.0));
        let background = mix(leaves[0], leaves[1], background);
        let lobe = (angle * petals / 2.0).cos().abs();
        let edge = 0.55 + 0.45 * lobe.sqrt();
        let vein = noise.layered(angle * petals * 1.5, radius * 2.0);
        let blossom = mix(
            petal[1],
            petal[0],
            smooth(0.1, 0.9, radius) * (0.6 + 0.4 * lobe),
        );
        let blossom = blossom.map(|value| value * (0.75 + 0.4 * vein));
        let colour = mix(
            blossom,
            background,
            smooth(edge - 0.03, edge + 0.03, radius),
        );
        let grain = 0.6 + 0.7 * noise.layered(x * 40.0, y * 40.0);
        mix(
            heart.map(|value| value * grain),
            colour,
            smooth(0.22, 0.26, radius),
        )
    })
}

/// Shaded discs and tiles on a gradient.
fn shapes(rng: &mut impl Rng, noise: Noise) -> Painter {
    let hue = rng.random_range(0.0..1.0);
    let ground = [
        hsv(hue, rng.random_range(0.1..0.8), 0.9),
        hsv(hue + 0.12, 0.7, 0.35),
    ];
    let slope = rng.random_range(0.0..TAU);
    struct Shape {
        centre: [f32; 2],
        size: f32,
        turn: f32,
        round: bool,
        colour: Colour,
        stripes: f32,
    }
    let shapes: Vec<Shape> = (0..rng.random_range(4..8_u32))
        .map(|_| Shape {
            centre: [rng.random_range(0.1..0.9), rng.random_range(0.1..0.9)],
            size: rng.random_range(0.1..0.26),
            turn: rng.random_range(0.0..PI),
            round: rng.random(),
            colour: hsv(rng.random_range(0.0..1.0), rng.random_range(0.5..1.0), 0.9),
            stripes: if rng.random_bool(0.4) {
                rng.random_range(30.0..70.0)
            } else {
                0.0
            },
        })
        .collect();
    Box::new(move |x, y| {
        let along = 0.5 + (x - 0.5) * slope.cos() + (y - 0.5) * slope.sin();
        let mut colour = mix(ground[0], ground[1], along);
        let texture = 0.85 + 0.3 * noise.layered(x * 14.0, y * 14.0);
        for shape in &shapes {
            let (dx, dy) = (x - shape.centre[0], y - shape.centre[1]);
            let (sin, cos) = shape.turn.sin_cos();
            let (u, v) = (
                (dx * cos + dy * sin) / shape.size,
                (dy * cos - dx * sin) / shape.size,
            );
            let distance = if shape.round {
                u.hypot(v)
            } else {
                u.abs().max(v.abs())
            };
            // Lit from the upper left.
            let light = 0.75 - 0.45 * (dx + dy) / shape.size / 2.0;
            let stripe = 0.85 + 0.15 * (shape.stripes * u * shape.size).cos().signum();
            let face = shape.colour.map(|value| value * light * stripe);
            colour = mix(face, colour, smooth(0.97, 1.03, distance));
        }
        colour.map(|value| value * texture)
    })
}

/// Value noise: random values at whole coordinates, smooth in between.
#[derive(Clone, Copy)]
struct Noise(u32);

impl Noise {
    /// Four octaves, in [0, 1].
    fn layered(self, x: f32, y: f32) -> f32 {
        let octave = |i: i32| self.at(x * 2_f32.powi(i), y * 2_f32.powi(i)) / 2_f32.powi(i);
        (0..4).map(octave).sum::<f32>() / 1.875
    }

    fn at(self, x: f32, y: f32) -> f32 {
        let (column, row) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (u, v) = (ease(x - column), ease(y - row));
        let value = |dx: i32, dy: i32| self.lattice(column as i32 + dx, row as i32 + dy);
        let between = |from: f32, to: f32, t: f32| from + (to - from) * t;
        between(
            between(value(0, 0), value(1, 0), u),
            between(value(0, 1), value(1, 1), u),
            v,
        )
    }

    /// The value at a lattice point, in [0, 1): the coordinates' bits, well mixed.
    fn lattice(self, x: i32, y: i32) -> f32 {
        let mut bits = self.0 ^ (x as u32).wrapping_mul(0x9E37_79B1);
        bits = (bits ^ (bits >> 15)).wrapping_mul(0x85EB_CA77) ^ y as u32;
        bits = (bits ^ (bits >> 13)).wrapping_mul(0xC2B2_AE3D);
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x27D4_EB2F);
        (bits >> 8) as f32 / (1 << 24) as f32
    }
}

/// From `from` at t = 0 to `to` at t = 1.
fn mix(from: Colour, to: Colour, t: f32) -> Colour {
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|c| from[c] + (to[c] - from[c]) * t)
}

/// 0 below `low`, 1 above `high`, smooth in between.
fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A colour by hue (in turns), saturation and value.
fn hsv(hue: f32, saturation: f32, value: f32) -> Colour {
    [5.0_f32, 3.0, 1.0].map(|offset| {
        let k = (offset + 6.0 * hue.rem_euclid(1.0)) % 6.0;
        value * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    })
}
