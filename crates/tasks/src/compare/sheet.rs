//! The contact sheet: the best, middle and worst pairs, what the generators made of them, and what
//! the other methods did.

use font8x8::legacy::BASIC_LEGACY;
use huenet_data::RgbImage;
use image::{Rgb, imageops};

use super::batch::Batch;
use super::comparison::Comparison;
use super::method::Method;
use super::pictures;
use super::study::Study;
use crate::store::error::TaskError;
use crate::transfer::Method::{
    HistogramMatching, IterativeDistributionTransfer, MatchedMongeKantorovich, MongeKantorovich,
};

/// Pairs of each kind.
const EACH: usize = 3;

/// Images are enlarged by a whole factor until they are at least this high.
const LEGIBLE: u32 = 128;

/// Pixels between images, and around the sheet.
const GUTTER: u32 = 6;

/// The side of a letter, in pixels.
const LETTER: u32 = 8;

const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([32, 36, 44]);

/// Draws the sheet of `comparison`; `batch` makes the batch of a number again.
pub(super) fn draw(
    study: &Study,
    comparison: &Comparison,
    batch: impl Fn(usize) -> Result<Batch, TaskError>,
) -> Result<RgbImage, TaskError> {
    let chosen = chosen(&comparison.ranking());
    let columns: Vec<Method> = study
        .methods()
        .filter(|method| *method != Method::Nothing)
        .collect();
    let settings = study.recipe().settings();
    let factor = LEGIBLE.div_ceil(settings.img_h as u32);
    let tile = [
        settings.img_w as u32 * factor,
        settings.img_h as u32 * factor,
    ];
    let line = LETTER + GUTTER;
    let count = 2 + columns.len() as u32;
    let width = GUTTER + count * (tile[0] + GUTTER);
    let height = GUTTER + line + chosen.len() as u32 * (line + tile[1] + GUTTER);
    let mut sheet = RgbImage::from_pixel(width, height, PAPER);

    let place = |column: u32| GUTTER + column * (tile[0] + GUTTER);
    let titles = ["content", "reference"].map(str::to_owned).into_iter();
    let titles = titles.chain(columns.iter().map(|method| title(comparison, *method)));
    for (column, title) in (0..).zip(titles) {
        write(&mut sheet, place(column), GUTTER, tile[0], &title);
    }
    for (row, (kind, number)) in (0..).zip(chosen) {
        let y = GUTTER + line + row * (line + tile[1] + GUTTER);
        write(
            &mut sheet,
            GUTTER,
            y,
            width - GUTTER,
            &caption(comparison, kind, number),
        );
        let pair = &comparison.pairs()[number];
        let before = comparison.pairs()[..number].iter();
        let within = before.filter(|other| other.batch == pair.batch).count();
        let batch = batch(pair.batch)?;
        let Some([content, reference]) = batch.each().nth(within) else {
            continue;
        };
        let mut images = vec![content.to_vec(), reference.to_vec()];
        for method in &columns {
            let made = batch.by(study, *method).0.into_iter().nth(within);
            images.extend(made.map(|made| made.planes));
        }
        for (column, planes) in (0..).zip(images) {
            let image = pictures::draw(study.colour, &planes, batch.size);
            let image = imageops::resize(&image, tile[0], tile[1], imageops::FilterType::Nearest);
            imageops::replace(&mut sheet, &image, place(column).into(), (y + line).into());
        }
    }
    Ok(sheet)
}

/// A title for which there is room above an image.
fn title(comparison: &Comparison, method: Method) -> String {
    let short = match method {
        Method::Transfer(HistogramMatching) => "matching",
        Method::Transfer(MongeKantorovich) => "Monge-Kantor.",
        Method::Transfer(MatchedMongeKantorovich) => "M.-K., matched",
        Method::Transfer(IterativeDistributionTransfer) => "distribution",
        other => return comparison.title(other),
    };
    short.to_owned()
}

/// The ends and the middle of a ranking, without doubles, in its order.
fn chosen(ranking: &[usize]) -> Vec<(&'static str, usize)> {
    let count = ranking.len();
    let middle = (count / 2).saturating_sub(EACH / 2);
    let kind = |place: usize| match place {
        best if best < EACH.min(count.div_ceil(3)) => Some("best"),
        worst if worst + EACH.min(count / 3) >= count => Some("worst"),
        median if (middle..middle + EACH).contains(&median) => Some("median"),
        _ => None,
    };
    let places = ranking.iter().enumerate();
    places
        .filter_map(|(place, number)| Some((kind(place)?, *number)))
        .collect()
}

fn caption(comparison: &Comparison, kind: &str, number: usize) -> String {
    let pair = &comparison.pairs()[number];
    let figures = comparison.methods().first().map(|m| &m.pairs()[number]);
    let emd = figures.map_or(f64::NAN, |pair| pair.figures.emd);
    match pair.is_one_file() {
        true => format!("{kind}: EMD {emd:.4}, {}", pair.content),
        false => format!(
            "{kind}: EMD {emd:.4}, {} in the colours of {}",
            pair.content, pair.reference
        ),
    }
}

/// Writes as much of `text` as there is room for. Letters that the font lacks become `?`.
fn write(sheet: &mut RgbImage, x: u32, y: u32, room: u32, text: &str) {
    for (i, letter) in (0..room / LETTER).zip(text.chars()) {
        let known = BASIC_LEGACY.get(letter as usize);
        let rows = known.unwrap_or(&BASIC_LEGACY['?' as usize]);
        for (dy, row) in (0..).zip(rows) {
            for dx in (0..LETTER).filter(|dx| row & (1 << dx) != 0) {
                let (x, y) = (x + i * LETTER + dx, y + dy);
                if x < sheet.width() && y < sheet.height() {
                    sheet.put_pixel(x, y, INK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(count: usize) -> Vec<(&'static str, usize)> {
        chosen(&(0..count).collect::<Vec<_>>())
    }

    #[test]
    fn the_best_the_middle_and_the_worst_are_chosen_once_each() {
        let places: Vec<usize> = kinds(21).iter().map(|(_, place)| *place).collect();
        assert_eq!(places, [0, 1, 2, 9, 10, 11, 18, 19, 20]);
        assert_eq!(kinds(21)[4], ("median", 10));
        assert_eq!(kinds(3), [("best", 0), ("median", 1), ("worst", 2)]);
        assert_eq!(kinds(1), [("best", 0)]);
        assert_eq!(kinds(2).len(), 2);
        assert!(kinds(0).is_empty());
    }

    #[test]
    fn text_is_ink_in_its_room() {
        let mut sheet = RgbImage::from_pixel(40, 10, PAPER);
        write(&mut sheet, 1, 1, 16, "HI–I");
        let inked = |x: u32| (0..10).any(|y| *sheet.get_pixel(x, y) == INK);
        assert!(inked(1) && (9..17).any(inked));
        assert!(!(17..40).any(inked), "no room for a third letter");
    }
}
