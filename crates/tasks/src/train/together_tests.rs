//! Runs of several threads in place of processes, beside the same runs of one.

use std::path::{Path, PathBuf};

use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_models::Normalization;
use rstest::rstest;

use super::*;
use crate::group::members::Group;
use crate::group::threads;
use crate::run::metrics::{self, StepRecord};
use crate::run::plan::Plan;
use crate::settings::{Layer, Settings, Task};
use crate::step::recipe::Recipe;

type B = Autodiff<Flex>;

/// Watches nothing, but may stop a run.
struct Silent {
    /// After so many steps.
    stop_after: u64,
    steps: u64,
    plan: Option<Plan>,
}

impl Observer for Silent {
    fn started(&mut self, plan: &Plan) {
        self.plan = Some(plan.clone());
    }
    fn stepped(&mut self, _: &StepRecord) {
        self.steps += 1;
    }
    fn saved(&mut self, _: &Path) {}
    fn wants_stop(&mut self) -> bool {
        self.steps >= self.stop_after
    }
}

/// Small, with all that a group has to agree on: part of the batch for the discriminator, images that are kept, an
/// average, dropout, augmentation, gradients that are clipped.
///
/// The learning rates are low: Adam makes whole steps of gradients that are nothing but rounding, and a rounding that
/// changes the sign of what a ReLU is given changes a gradient by more. At usual rates such runs part after some steps;
/// that each step finds the same gradients is tested by itself.
fn settings(task: Task, folder: &Path, name: &str) -> Settings {
    Settings {
        img_h: 32,
        img_w: 32,
        depth: 4,
        base_width: 4,
        bin_num: 16,
        batch_size: 6,
        dis_batch_share: 0.5,
        image_pool: 4,
        dropout: true,
        jitter: true,
        clip_gradients: 5.0,
        max_steps: 20,
        gen_lr: 1e-6,
        dis_lr: 1e-6,
        held_out_images: 8,
        validation_images: 9,
        tensorboard: false,
        output_dir: folder.to_owned(),
        name: Some(name.to_owned()),
        ..Settings::demo(task)
    }
}

/// How a run goes on: from its start, or from its newest checkpoint.
enum Begin {
    New(Box<Settings>),
    Resumed(PathBuf, Vec<Layer>),
}

/// Trains with so many threads; gives the losses of all steps of the run, and what the first thread saw.
fn train_with(size: usize, begin: &Begin, stop: (usize, u64)) -> (Vec<StepRecord>, Plan) {
    let device = Default::default();
    let lead = |group: &dyn Group| {
        let job = match begin {
            Begin::New(settings) => Job::new(Recipe::new((**settings).clone()).unwrap()),
            Begin::Resumed(run, changes) => Job::resume(run, changes),
        };
        let job = job.unwrap();
        Job::lead(Some(&job), group).unwrap();
        assert!(answer(group, Ok(())).unwrap());
        let mut observer = Silent {
            stop_after: if stop.0 == 0 { stop.1 } else { u64::MAX },
            steps: 0,
            plan: None,
        };
        let report = train_together::<B>(job, group, &device, &mut observer, None).unwrap();
        let records = metrics::read(&report.run.join("metrics.jsonl")).unwrap();
        (records, observer.plan.unwrap())
    };
    let found = threads::run(size, |group| {
        if group.rank() == 0 {
            return Some(lead(group));
        }
        let follower = Follower::join(group).unwrap().unwrap();
        assert!(answer(group, Ok(())).unwrap());
        let mut steps = 0;
        let mut wants_stop = || {
            steps += 1;
            stop.0 == group.rank() && steps > stop.1
        };
        follow::<B>(follower, group, &device, &mut wants_stop).unwrap();
        None
    });
    found.into_iter().flatten().next().unwrap()
}

fn new_run(settings: Settings) -> Begin {
    Begin::New(Box::new(settings))
}

const NEVER: (usize, u64) = (0, u64::MAX);

/// How far losses are apart, relative to those of one process where they are above 1.
fn apart(one: &[StepRecord], other: &[StepRecord]) -> f64 {
    assert_eq!(one.len(), other.len());
    let losses = one.iter().zip(other);
    let each = losses.flat_map(|(one, other)| one.losses.named().zip(other.losses.named()));
    let differences = each.map(|((name, one), (same, other))| {
        assert_eq!(name, same);
        (one - other).abs() / one.abs().max(1.0)
    });
    differences.fold(0.0, f64::max)
}

fn losses(records: &[StepRecord]) -> Vec<Vec<f64>> {
    let of = |record: &StepRecord| record.losses.named().map(|(_, value)| value).collect();
    records.iter().map(of).collect()
}

#[rstest]
fn a_group_trains_as_one_process_does(
    #[values(Task::Edges2photos, Task::Colorization, Task::ColorTransfer)] task: Task,
) {
    let folder = tempfile::tempdir().unwrap();
    let run = |size: usize, name: &str| {
        let begin = new_run(settings(task, folder.path(), name));
        train_with(size, &begin, NEVER).0
    };
    let one = run(1, "one");
    assert_eq!(one.len(), 20);
    let (two, three) = (run(2, "two"), run(3, "three"));
    let found = [apart(&one, &two), apart(&one, &three)];
    eprintln!("{task}: two and three processes are apart from one by {found:?}");
    assert!(found.iter().all(|apart| *apart < 1e-5), "{found:?}");
    assert_eq!(losses(&run(2, "again")), losses(&two), "not the same bits");
}

#[rstest]
fn a_group_normalises_batches_as_one_process_does(
    #[values(Task::Edges2photos, Task::Colorization)] task: Task,
) {
    let folder = tempfile::tempdir().unwrap();
    let run = |size: usize, name: &str| {
        let settings = Settings {
            normalization: Normalization::Batch,
            dis_normalization: Normalization::Batch,
            ..settings(task, folder.path(), name)
        };
        train_with(size, &new_run(settings), NEVER).0
    };
    let one = run(1, "one");
    // Of six processes some have no image of the last batch of an epoch, and half have none for the discriminator.
    let (two, six) = (run(2, "two"), run(6, "six"));
    let found = [apart(&one, &two), apart(&one, &six)];
    eprintln!("{task}: two and six processes are apart from one by {found:?}");
    assert!(found.iter().all(|apart| *apart < 1e-5), "{found:?}");
    assert_eq!(losses(&run(6, "again")), losses(&six), "not the same bits");
}

#[test]
fn a_group_goes_on_bit_for_bit_and_another_one_nearly() {
    let folder = tempfile::tempdir().unwrap();
    let begin = |name: &str| new_run(settings(Task::Edges2photos, folder.path(), name));
    let (whole, _) = train_with(2, &begin("whole"), NEVER);
    for (name, size) in [("same", 2), ("other", 3), ("alone", 1)] {
        // The second process wants to stop after seven steps.
        let (stopped, _) = train_with(2, &begin(name), (1, 7));
        assert_eq!(stopped.len(), 7);
        let rest = Begin::Resumed(folder.path().join(name), Vec::new());
        let (all, plan) = train_with(size, &rest, NEVER);
        assert_eq!((plan.processes, plan.processes_before), (size, Some(2)));
        match size {
            2 => assert_eq!(losses(&all), losses(&whole)),
            _ => assert!(apart(&whole, &all) < 1e-5, "{}", apart(&whole, &all)),
        }
    }
    // The first one may want to, as well.
    let (stopped, _) = train_with(2, &begin("first"), (0, 3));
    assert_eq!(losses(&stopped), losses(&whole[..3]));
}

#[test]
fn a_group_that_loses_its_images_keeps_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("set");
    std::fs::create_dir(&images).unwrap();
    for number in 0..12u8 {
        let colours = |x: u32, y: u32| image::Rgb([number * 20, (x * 7) as u8, (y * 5) as u8]);
        let image = image::RgbImage::from_fn(36, 36, colours);
        image.save(images.join(format!("{number}.png"))).unwrap();
    }
    let settings = Settings {
        dataset: "set".to_owned(),
        dataroot: Some(folder.path().to_owned()),
        workers: 0,
        ..settings(Task::ColorTransfer, folder.path(), "run")
    };
    let device = Default::default();
    let errors = threads::run(2, |group| {
        if group.rank() > 0 {
            let follower = Follower::join(group).unwrap().unwrap();
            assert!(answer(group, Ok(())).unwrap());
            let mut steps = 0;
            let mut lose = || {
                steps += 1;
                if steps == 3 {
                    std::fs::rename(&images, folder.path().join("gone")).unwrap();
                }
                false
            };
            follow::<B>(follower, group, &device, &mut lose).unwrap();
            return None;
        }
        let job = Job::new(Recipe::new(settings.clone()).unwrap()).unwrap();
        Job::lead(Some(&job), group).unwrap();
        assert!(answer(group, Ok(())).unwrap());
        let mut observer = Silent {
            stop_after: u64::MAX,
            steps: 0,
            plan: None,
        };
        let report = train_together::<B>(job, group, &device, &mut observer, None);
        report.err().map(|error| error.to_string())
    });
    let told = errors[0].as_deref().unwrap();
    assert!(told.contains("set") && told.contains(".png"), "{told}");
    let checkpoint = crate::Checkpoint::newest(&folder.path().join("run")).unwrap();
    assert_eq!(checkpoint.position().step, 3);
}
