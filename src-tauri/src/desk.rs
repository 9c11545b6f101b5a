//! Stub.
use companion::view::Overview;
use crate::commands::Refusal;
pub struct Desk;
impl Desk {
    pub fn overview(&self) -> Overview { unimplemented!() }
    pub async fn sync_now(&self) -> Result<(), Refusal> { Ok(()) }
    pub async fn explore_sample(&self) -> Result<(), Refusal> { Ok(()) }
    pub async fn leave_sample(&self) -> Result<(), Refusal> { Ok(()) }
}
