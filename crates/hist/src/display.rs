//! How modules without weights show themselves.

/// Implements `ModuleDisplay`, in one line, for a module that adds `$shown` to its `$content`.
macro_rules! one_line_display {
    ($module:ident, |$self:ident, $content:ident| $shown:expr) => {
        impl burn::module::ModuleDisplay for $module {
            fn custom_settings(&self) -> Option<burn::module::DisplaySettings> {
                burn::module::DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(
                &$self,
                $content: burn::module::Content,
            ) -> Option<burn::module::Content> {
                $shown.optional()
            }
        }
    };
}
pub(crate) use one_line_display;
