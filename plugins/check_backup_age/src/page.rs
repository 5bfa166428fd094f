//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page { ..Page::EMPTY };
