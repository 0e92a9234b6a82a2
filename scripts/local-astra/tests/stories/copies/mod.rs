//! Samples outside the workspace: as copies, and as projects made from their pages.

pub mod copying;
pub mod projects;
mod setup_project;
