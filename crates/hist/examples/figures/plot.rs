//! Just as much of SVG as the figures need: a light card, axes, lines, bars and words.

use std::fmt::{Display, Write};

pub(crate) const BLUE: &str = "#2b6cb0";
pub(crate) const ORANGE: &str = "#c2560c";
pub(crate) const GREEN: &str = "#2f7d4f";
pub(crate) const INK: &str = "#222";

/// A picture with a background of its own, so that it can be read on a dark page too.
pub(crate) struct Picture(String);

impl Picture {
    /// An empty picture of this size. `title` is for those who cannot see it.
    pub(crate) fn new(width: u32, height: u32, title: &str) -> Self {
        let mut picture = Self(String::new());
        picture.add(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"none\">\n\
             <title>{title}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#fcfcfa\"/>"
        ));
        picture
    }

    /// Adds an element.
    pub(crate) fn add(&mut self, element: impl Display) {
        writeln!(self.0, "{element}").expect("a string takes everything");
    }

    /// Adds words at a place: `anchor` is `start`, `middle` or `end`.
    pub(crate) fn words(&mut self, [x, y]: [f64; 2], anchor: &str, color: &str, words: &str) {
        let [x, y] = [x, y].map(number);
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{color}\">{words}</text>"
        ));
    }

    /// Adds squares of side 1 in rows and columns, each as dark as its value from 0 to 1, scaled to `side`.
    pub(crate) fn squares(&mut self, [left, top]: [f64; 2], side: f64, values: &[f64]) {
        const SHADES: usize = 16;
        let columns = values.len().isqrt();
        let size = number(side / columns as f64);
        let [left, top] = [left, top].map(number);
        self.add(format_args!(
            "<g transform=\"translate({left} {top}) scale({size})\" shape-rendering=\"crispEdges\">"
        ));
        let shade = |value: f64| (value * (SHADES - 1) as f64).round() as usize;
        // Runs of one shade are one stroke, and all strokes of a shade are one path.
        for wanted in 1..SHADES {
            let mut path = String::new();
            for (row, values) in values.chunks(columns).enumerate() {
                let mut column = 0;
                for run in values.chunk_by(|a, b| shade(*a) == shade(*b)) {
                    if shade(run[0]) == wanted {
                        write!(path, "M{column} {row}.5h{}", run.len()).expect("a string takes it");
                    }
                    column += run.len();
                }
            }
            if !path.is_empty() {
                let level = 255 - 235 * wanted / (SHADES - 1);
                let color = format_args!("#{level:02x}{level:02x}{level:02x}");
                self.add(format_args!("<path stroke=\"{color}\" d=\"{path}\"/>"));
            }
        }
        self.add("</g>");
    }

    /// The whole file.
    pub(crate) fn finish(mut self) -> String {
        self.add("</svg>");
        self.0
    }
}

/// A rectangle of a picture that shows values.
pub(crate) struct Axes {
    /// Left, top, width and height in the picture.
    pub(crate) place: [f64; 4],
    /// The values at its left and its right border.
    pub(crate) x: [f64; 2],
    /// The values at its lower and its upper border.
    pub(crate) y: [f64; 2],
}

impl Axes {
    /// The place of a point in the picture.
    pub(crate) fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [left, top, width, height] = self.place;
        let share = |value: f64, [from, to]: [f64; 2]| (value - from) / (to - from);
        [
            left + width * share(x, self.x),
            top + height * (1.0 - share(y, self.y)),
        ]
    }

    /// Draws the two axes, marks on them, and what they are of.
    pub(crate) fn draw(
        &self,
        picture: &mut Picture,
        title: &str,
        names: [&str; 2],
        marks: [&[f64]; 2],
    ) {
        let [left, top, width, height] = self.place;
        let bottom = top + height;
        picture.words([left + width / 2.0, top - 10.0], "middle", INK, title);
        picture.words([left + width / 2.0, bottom + 34.0], "middle", INK, names[0]);
        let [x, y] = [left - 36.0, top + height / 2.0].map(number);
        picture.add(format_args!(
            "<text transform=\"translate({x} {y}) rotate(-90)\" text-anchor=\"middle\" fill=\"{INK}\">{}</text>",
            names[1]
        ));
        let mut path = format!(
            "M{} {}V{}h{}",
            number(left),
            number(top),
            number(bottom),
            number(width)
        );
        for &mark in marks[0] {
            let [x, _] = self.at([mark, 0.0]);
            write!(path, "M{} {}v4", number(x), number(bottom)).expect("a string takes it");
            picture.words([x, bottom + 17.0], "middle", INK, &words(mark));
        }
        for &mark in marks[1] {
            let [_, y] = self.at([0.0, mark]);
            write!(path, "M{} {}h-4", number(left), number(y)).expect("a string takes it");
            picture.words([left - 7.0, y + 4.0], "end", INK, &words(mark));
        }
        picture.add(format_args!("<path stroke=\"{INK}\" d=\"{path}\"/>"));
    }

    /// Draws a line through points. `style` is attributes of SVG.
    pub(crate) fn line(
        &self,
        picture: &mut Picture,
        style: &str,
        points: impl IntoIterator<Item = [f64; 2]>,
    ) {
        let points: Vec<String> = points
            .into_iter()
            .map(|point| self.at(point).map(number).join(","))
            .collect();
        picture.add(format_args!(
            "<polyline {style} points=\"{}\"/>",
            points.join(" ")
        ));
    }

    /// Fills the rectangle between two corners. `style` is attributes of SVG.
    pub(crate) fn bar(&self, picture: &mut Picture, style: &str, from: [f64; 2], to: [f64; 2]) {
        let [[left, bottom], [right, top]] = [self.at(from), self.at(to)];
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(number);
        picture.add(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {style}/>"
        ));
    }
}

/// The style of a curve.
pub(crate) fn thick(color: &str) -> String {
    format!("stroke=\"{color}\" stroke-width=\"2\"")
}

/// The style of a curve that is a part of another one.
pub(crate) fn dashed(color: &str) -> String {
    format!("stroke=\"{color}\" stroke-width=\"1.5\" stroke-dasharray=\"5 3\"")
}

/// A coordinate, rounded to two digits: so the files are the same on all machines.
fn number(value: f64) -> String {
    let number = format!("{value:.2}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    if number == "-0" { "0" } else { number }.to_owned()
}

/// A number as it stands beside an axis.
fn words(value: f64) -> String {
    number(value).replace('-', "−")
}
