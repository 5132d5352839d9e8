//! The page of a run: one file with its data, its style and its script, that loads nothing.

use serde::Serialize;

const TEMPLATE: &str = include_str!("page.html");
/// How pages look.
pub(crate) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page titled `title` that shows `data`.
pub(super) fn render(title: &str, data: &impl Serialize) -> String {
    // What fills a place is never searched for further places: none of it can be mistaken for one.
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (place, after) = after.split_once("}}").unwrap_or((after, ""));
        page += before;
        match place {
            "title" => page += &escape(title),
            "style" => page += STYLE,
            "script" => page += SCRIPT,
            _ => page += &script_data(data),
        }
        rest = after;
    }
    page + rest
}

/// JSON that is safe inside a script element: with no `<`, no end tag and no comment can begin.
fn script_data(data: &impl Serialize) -> String {
    // The page's data are text and numbers under names, which always serialise.
    serde_json::to_string(data)
        .unwrap_or_default()
        .replace('<', "\\u003c")
}

/// Text that is safe inside an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_leave_its_place() {
        let hostile = "</script><script>alert(1)</script> {{style}} & \"'";
        let page = render(hostile, &serde_json::json!({ "run": hostile }));
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; {{style}} &amp; &quot;&#39;</title>"));
        assert_eq!(page.matches(STYLE).count(), 1);
        let start = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
        let end = start + page[start..].find("</script>").unwrap();
        let data: serde_json::Value = serde_json::from_str(&page[start..end]).unwrap();
        assert_eq!(data["run"], hostile);
    }

    #[test]
    fn the_page_names_nothing_outside_itself() {
        let page = render("run", &serde_json::json!({}));
        for outside in ["src=\"http", "href=", "@import", "url(", "import "] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
