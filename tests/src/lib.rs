//! Shared ground of the scenarios.
