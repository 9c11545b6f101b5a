//! What the engine relies on in every calendar service, as cases that are run in a room: one account of one service, with
//! her own hand on its other side. Knows no service; what one of them cannot do is written down in `exceptions`.
//!
//! To add a service: one file in `rooms` that implements [`Room`], one line in `tests/tests/contract`.

pub mod cases;
pub mod exceptions;
pub mod lies;
pub mod matrix;
pub mod reading;
pub mod room;
pub mod rooms;
pub mod suite;

pub use room::{Cannot, Done, Edit, Keepsake, Room, Traits};

/// One promise of a service.
#[derive(Clone, Copy)]
pub struct Case {
    /// A sentence.
    pub name: &'static str,
    pub run: for<'a> fn(&'a dyn Room) -> Run<'a>,
}

/// A case under way. It panics where the promise is broken.
pub type Run<'a> = std::pin::Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

/// Cases by the names of their functions.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub const CASES: &[$crate::contract::Case] = &[
            $($crate::contract::Case { name: stringify!($name), run: |room| Box::pin($name(room)) },)*
        ];
    };
}
