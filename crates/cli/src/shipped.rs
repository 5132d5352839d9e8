//! The trained models within this binary, by which `huenet translate` needs no run.
//!
//! Each is a `generator.safetensors` that `huenet export --format safetensors-f16` wrote. `docs/models.md` says what
//! they were trained on.

use huenet_tasks::settings::DEFAULT_BACKEND;
use huenet_tasks::{Model, Settings, Task, TaskError};

use crate::output;

/// A trained model within this binary.
#[derive(Debug)]
pub(crate) struct Shipped {
    /// What it does. There is one model for a task, which is called by the task's name.
    pub(crate) task: Task,
    /// A `generator.safetensors`.
    bytes: &'static [u8],
}

/// The models, that of `huenet translate` without `--task` first.
pub(crate) const SHIPPED: [Shipped; 2] = [
    Shipped {
        task: Task::ColorTransfer,
        bytes: include_bytes!("../models/color_transfer.safetensors"),
    },
    Shipped {
        task: Task::Colorization,
        bytes: include_bytes!("../models/colorization.safetensors"),
    },
];

/// A task for which no model ships.
#[derive(Debug, thiserror::Error)]
#[error(
    "no model for {task} ships with huenet; train one with `{huenet} train --task {task} --dataroot DIR`, then give \
     --run latest in place of --task", huenet = output::huenet()
)]
pub(crate) struct NotShipped {
    task: Task,
}

impl Shipped {
    /// The model for a task; without a task, the first.
    ///
    /// # Errors
    ///
    /// [`NotShipped`].
    pub(crate) fn of(task: Option<Task>) -> Result<&'static Self, NotShipped> {
        let [first, ..] = &SHIPPED;
        let task = task.unwrap_or(first.task);
        let found = SHIPPED.iter().find(|shipped| shipped.task == task);
        found.ok_or(NotShipped { task })
    }

    /// The model, to be used.
    ///
    /// # Errors
    ///
    /// Those of [`Model::from_bytes`].
    pub(crate) fn model(&self) -> Result<Model, TaskError> {
        let name = format!("{} of huenet {}", self.task, env!("CARGO_PKG_VERSION"));
        Model::from_bytes(&name, self.bytes)
    }

    /// What it takes in this binary, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// A shipped model's settings, but for those of the machine that it was trained on, which say nothing about this one.
pub(crate) fn on_this_machine(settings: &Settings) -> Settings {
    Settings {
        backend: DEFAULT_BACKEND.to_owned(),
        device: None,
        threads: 0,
        ..settings.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_they_are_small() {
        let bytes: usize = SHIPPED.iter().map(Shipped::size).sum();
        assert!(bytes <= 8 << 20, "{bytes} bytes");
    }

    #[test]
    fn each_is_a_model_of_its_task_and_names_no_folder() {
        for shipped in &SHIPPED {
            let model = shipped.model().unwrap();
            assert_eq!(model.settings().task, shipped.task);
            assert_eq!(model.settings().dataroot, None);
            let (name, about) = (shipped.task.name(), model.description());
            let expected = format!("model {name} of huenet {}", env!("CARGO_PKG_VERSION"));
            assert!(about.contains(&expected), "{about}");
        }
    }

    #[test]
    fn a_task_without_a_model_is_told_how_to_get_one() {
        assert_eq!(Shipped::of(None).unwrap().task, Task::ColorTransfer);
        let error = Shipped::of(Some(Task::Edges2photos)).unwrap_err();
        assert!(
            error.to_string().contains("train --task edges2photos"),
            "{error}"
        );
    }
}
