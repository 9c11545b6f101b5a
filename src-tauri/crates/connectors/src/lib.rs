//! Where the engine's ports meet the services: Google, Outlook, Bookiji, sign-in, secrets and the one HTTP stack. Translates and
//! decides nothing.

pub mod bookiji;
pub mod caldav;
pub mod google;
pub mod gotrue;
pub mod http;
pub mod ics;
pub mod oauth;
pub mod outlook;
pub mod tokens;
pub mod vault;
