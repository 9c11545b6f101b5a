//! Shared ground of the scenarios: in-memory services that keep the contract, and a vendor's world around the engine.

pub mod answering;
pub mod contract;
pub mod crash;
pub mod fuzz;
pub mod mutate;
pub mod servers;
pub mod service;
pub mod simulate;
pub mod week;
pub mod world;
