//! What the tests of all plugins share.
