//! `huenet data split` and `huenet data make-pairs`.

use clap::{Arg, ArgMatches, Command, value_parser};
use huenet_data::ImageSize;
use huenet_data::prepare::{
    Canny, LeftHalf, PairFormat, PairOptions, Transfer, list_split, make_pairs as make, write_split,
};
use huenet_tasks::SPLIT_SEED;

use super::options::{bar, flag, folder, given, path};
use crate::output::line;

fn seed() -> Arg {
    Arg::new("seed")
        .long("seed")
        .value_name("N")
        .value_parser(value_parser!(u64))
        .help(format!(
            "Seed of the split; training uses seed {SPLIT_SEED} [default: {SPLIT_SEED}]"
        ))
}

fn seed_of(matches: &ArgMatches) -> u64 {
    matches.get_one("seed").copied().unwrap_or(SPLIT_SEED)
}

pub(super) fn split_command() -> Command {
    Command::new("split")
        .about("Write the seeded 90/10 split of a folder of images as folders")
        .long_about(
            "Write out the seeded split that `huenet train` makes of a bare folder (or of \
             Flowers-102): OUTPUT/train and OUTPUT/test, the latter with the images that training \
             holds out. The folder itself is left as it is.",
        )
        .arg(folder("The folder of images"))
        .arg(
            path("output", "DIR", "New folder for train/ and test/")
                .required_unless_present("list"),
        )
        .arg(
            path(
                "list",
                "FILE",
                "Write a list instead of folders; a line has `train` or `test`, a tab and the path",
            )
            .conflicts_with_all(["output", "link"]),
        )
        .arg(flag("link", "Hard-link the images instead of copying them"))
        .arg(seed())
}

pub(super) fn split(matches: &ArgMatches) -> anyhow::Result<()> {
    let (folder, seed) = (given(matches, "folder"), seed_of(matches));
    let (summary, written) = match matches.get_one::<std::path::PathBuf>("list") {
        Some(list) => (list_split(folder, list, seed)?, list),
        None => {
            let transfer = match matches.get_flag("link") {
                true => Transfer::HardLink,
                false => Transfer::Copy,
            };
            let output = given(matches, "output");
            (write_split(folder, output, seed, transfer)?, output)
        }
    };
    line(format_args!(
        "{}: {} images to train on, {} held out",
        written.display(),
        summary.train,
        summary.held_out
    ));
    Ok(())
}

pub(super) fn pairs_command() -> Command {
    Command::new("make-pairs")
        .about("Make pix2pix pairs from two folders, or from photographs and their edges")
        .long_about(
            "Make pairs, side by side, that `huenet train --task edges2photos` reads: on the left \
             an image of --from, or with --edges the edges of the right one; on the right the \
             image of --to with the same name, endings apart. Folders that hold train/, val/ or test/ \
             instead of images stay divided as they are. Both halves get the size of the \
             right image, or --size; images of other shapes are refused unless --stretch.",
        )
        .arg(path("from", "DIR", "Folder of the left halves").required_unless_present("edges"))
        .arg(flag("edges", "Make the left halves from the right ones: the edges that Canny's detector finds").conflicts_with("from"))
        .arg(path("to", "DIR", "Folder of the right halves").required(true))
        .arg(path("output", "DIR", "New folder for train/ and val/").required(true))
        .arg(
            Arg::new("size")
                .long("size")
                .value_name("WxH")
                .value_parser(size)
                .help("Width and height of each half in pixels, such as 256x256"),
        )
        .arg(
            Arg::new("thresholds")
                .long("thresholds")
                .value_names(["LOW", "HIGH"])
                .num_args(2)
                .value_parser(value_parser!(f32))
                .requires("edges")
                .help("Canny's two thresholds, lengths of Sobel's gradient; lower ones find more edges [default: 60 120]"),
        )
        .arg(flag("stretch", "Stretch images of different shapes"))
        .arg(flag("skip-unmatched", "Leave out images that have no partner"))
        .arg(flag("no-split", "Put all pairs into train/, none into val/"))
        .arg(flag("jpeg", "Write JPEG of quality 95 instead of PNG"))
        .arg(seed())
}

fn size(text: &str) -> Result<ImageSize, String> {
    let numbers = text.split_once(['x', 'X', '×']);
    let (width, height) = numbers.ok_or("give width and height, such as 256x256")?;
    let number = |text: &str| {
        text.trim()
            .parse::<usize>()
            .map_err(|error| error.to_string())
    };
    ImageSize::new(number(height)?, number(width)?).map_err(|error| error.to_string())
}

pub(super) fn make_pairs(matches: &ArgMatches) -> anyhow::Result<()> {
    let left = match matches.get_flag("edges") {
        false => LeftHalf::Folder(given(matches, "from").clone()),
        true => LeftHalf::Edges(match matches.get_many::<f32>("thresholds") {
            None => Canny::DEFAULT,
            Some(values) => match values.copied().collect::<Vec<_>>()[..] {
                [low, high] => Canny::new(low, high)?,
                _ => unreachable!("clap asks for two"),
            },
        }),
    };
    let options = PairOptions {
        size: matches.get_one("size").copied(),
        stretch: matches.get_flag("stretch"),
        skip_unmatched: matches.get_flag("skip-unmatched"),
        split_seed: (!matches.get_flag("no-split")).then(|| seed_of(matches)),
        format: match matches.get_flag("jpeg") {
            true => PairFormat::Jpeg,
            false => PairFormat::Png,
        },
    };
    let output = given(matches, "output");
    let made = make(&left, given(matches, "to"), output, options, &bar())?;
    let left_out = match made.unmatched {
        0 => String::new(),
        count => format!("; {count} images without a partner were left out"),
    };
    line(format_args!(
        "{}: {} pairs to train on, {} held out{left_out}",
        output.display(),
        made.train,
        made.held_out
    ));
    Ok(())
}
