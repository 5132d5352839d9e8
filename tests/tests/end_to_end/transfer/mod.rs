//! Colour transfer without training, from image files to image files.

mod colours;
mod files;
mod looks;
mod refined;

use image::DynamicImage;

use crate::support::Place;

/// A place with a content `a.png` and a reference `r.jpg` of other colours.
fn place() -> Place {
    let place = Place::new();
    place.image("a.png", 60, 40, 3);
    place.image("r.jpg", 48, 64, 90);
    place
}

fn transfer(place: &Place, arguments: &str) -> assert_cmd::Command {
    let mut command = place.command("transfer");
    command.args(arguments.split_whitespace());
    command
}

fn open(place: &Place, name: &str) -> DynamicImage {
    let path = place.root().join(name);
    image::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn save(place: &Place, name: &str, image: impl Into<DynamicImage>) {
    image.into().save(place.file(name)).expect("saved");
}
