//! Edits of calendar feeds: what their publisher does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Impossible, Order, unknown};
use crate::feeds::Feed;
use crate::world::World;

pub fn by_publisher(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    let name = order.required("name")?;
    match action {
        "put_feed" => {
            let text = order.required("text")?.to_owned();
            world.feeds.insert(name.to_owned(), Feed { text, changed_at: now });
        }
        "delete_feed" => {
            world.feeds.remove(name).ok_or_else(|| Impossible(format!("no such feed: {name}")))?;
        }
        _ => return Err(unknown(action)),
    }
    Ok(json!({"feed": name}))
}
