//! From a network's small output to a photograph of full size.

use huenet_data::Photograph;
use huenet_data::colour::{grey, rgb_to_yuv, yuv_to_rgb};

use super::guided::{Guided, mapped};
use super::small_image::{Cubic, Linear, SmallImage, between};

/// What a network's output gives a photograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// New colours: edges and texture stay the photograph's.
    Colours,
    /// New chroma: the luma stays that of the photograph made grey.
    Chroma,
    /// All that is to be seen.
    Picture,
}

impl Gives {
    /// The photograph's colour as the network is given it.
    pub(super) fn given(self, colour: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Chroma => [grey(colour); 3],
            Self::Colours | Self::Picture => colour,
        }
    }

    /// Between a colour and the result's, which `made` gives it.
    pub(super) fn mixed(self, colour: [f32; 3], made: [f32; 3], strength: f32) -> [f32; 3] {
        let result = self.result(colour, made);
        std::array::from_fn(|i| colour[i] + strength * (result[i] - colour[i]))
    }

    /// The result's colour: `made`, as far as a screen has it.
    fn result(self, colour: [f32; 3], made: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Chroma => with_luma(grey(colour), made),
            Self::Colours | Self::Picture => made.map(|value| value.clamp(0.0, 1.0)),
        }
    }
}

/// The colour of this luma that has the chroma of `colour`, or as much of it as a screen has at this luma.
/// All are in [0, 1].
fn with_luma(luma: f32, colour: [f32; 3]) -> [f32; 3] {
    let [_, u, v] = rgb_to_yuv(colour.map(|value| 255.0 * value));
    let full = yuv_to_rgb([2.0 * luma - 1.0, u, v]).map(|value| (value + 1.0) / 2.0);
    let room = full.map(|value| {
        let distance = value - luma;
        let most = if distance > 0.0 { 1.0 - luma } else { luma };
        if distance.abs() > most {
            most / distance.abs()
        } else {
            1.0
        }
    });
    let share = room.into_iter().fold(1.0, f32::min);
    full.map(|value| luma + share * (value - luma))
}

/// A network's output for a photograph, at the network's size.
pub(super) struct Small {
    /// The photograph as the network saw it.
    pub(super) seen: SmallImage<3>,
    /// What the network made of it, in [0, 1].
    pub(super) output: SmallImage<3>,
    /// What this gives the photograph.
    pub(super) gives: Gives,
}

impl Small {
    /// The photograph, changed at its own size; `strength` is how far it goes from the photograph, 0, to the
    /// change, 1.
    pub(super) fn at_full_size(&self, content: &Photograph, strength: f32) -> Photograph {
        let fits =
            content.width() <= self.output.width() && content.height() <= self.output.height();
        match self.gives {
            _ if strength == 0.0 => content.clone(),
            _ if fits => self.reduced(content, strength),
            Gives::Picture => self.enlarged(content, strength),
            Gives::Colours | Gives::Chroma => self.guided(content, strength),
        }
    }

    /// Of a photograph that is not larger than the output.
    fn reduced(&self, content: &Photograph, strength: f32) -> Photograph {
        let output = self.output.reduced(content.width(), content.height());
        let mut result = content.clone();
        result.map_rows(|row, pixels| {
            for (pixel, made) in pixels.iter_mut().zip(output.row(Linear::at(row))) {
                *pixel = self.mixed(*pixel, made, strength);
            }
        });
        result
    }

    /// The output itself, enlarged.
    fn enlarged(&self, content: &Photograph, strength: f32) -> Photograph {
        let (width, height) = (content.width(), content.height());
        let columns = (0..width).map(|x| Cubic::cubic(x, self.output.width(), width));
        let columns: Vec<Cubic> = columns.collect();
        let mut result = content.clone();
        result.map_rows(|row, pixels| {
            let line = self
                .output
                .row(Cubic::cubic(row, self.output.height(), height));
            for (pixel, column) in pixels.iter_mut().zip(&columns) {
                *pixel = self.mixed(*pixel, between(&line, *column), strength);
            }
        });
        result
    }

    /// The output's colours, with the photograph's edges and texture.
    fn guided(&self, content: &Photograph, strength: f32) -> Photograph {
        let (width, height) = (content.width(), content.height());
        let seen = self.seen.values().iter().zip(self.output.values());
        let wanted = seen.map(|(colour, made)| self.gives.result(*colour, *made));
        let wanted = SmallImage::new(self.seen.width(), self.seen.height(), wanted.collect());
        let guided = Guided::fit(&self.seen, &wanted);
        let columns = (0..width).map(|x| Linear::linear(x, wanted.width(), width));
        let columns: Vec<Linear> = columns.collect();
        let tap = |row: usize| Linear::linear(row, wanted.height(), height);

        let mut filtered = content.clone();
        filtered.map_rows(|row, pixels| {
            let maps = guided.row(tap(row));
            for (pixel, column) in pixels.iter_mut().zip(&columns) {
                let made = mapped(&between(&maps, *column), self.gives.given(*pixel));
                *pixel = self.gives.result(*pixel, made);
            }
        });
        let missing = missing(&filtered, &wanted);
        drop(filtered);

        let mut result = content.clone();
        result.map_rows(|row, pixels| {
            let (maps, missing) = (guided.row(tap(row)), missing.row(tap(row)));
            for (pixel, column) in pixels.iter_mut().zip(&columns) {
                let made = mapped(&between(&maps, *column), self.gives.given(*pixel));
                let missing = between(&missing, *column);
                let made = std::array::from_fn(|i| made[i] + missing[i]);
                *pixel = self.mixed(*pixel, made, strength);
            }
        });
        result
    }

    fn mixed(&self, colour: [f32; 3], made: [f32; 3], strength: f32) -> [f32; 3] {
        self.gives.mixed(colour, made, strength)
    }
}

/// What `photograph`, shrunk, lacks to be `wanted`. Where it is transparent it lacks nothing.
fn missing(photograph: &Photograph, wanted: &SmallImage<3>) -> SmallImage<3> {
    let (width, height) = (wanted.width(), wanted.height());
    let shrunk = photograph.reduced(width, height);
    let opacity = photograph.reduced_alpha(width, height);
    let opacity = opacity.unwrap_or_else(|| vec![1.0; width * height]);
    let pixels = shrunk.iter().zip(wanted.values()).zip(opacity);
    let differences = pixels.map(|((shrunk, wanted), opacity)| {
        std::array::from_fn(|i| opacity * (wanted[i] - shrunk[i]))
    });
    SmallImage::new(width, height, differences.collect())
}
