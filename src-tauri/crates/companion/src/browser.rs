//! Her browser, opened at a page. Whether anybody looks at it is not known.

use std::process::Stdio;

use url::Url;

use crate::secrets::PASSPHRASE;

/// Opens it, and answers whether something was started. The browser, and whatever it starts, does not inherit the passphrase
/// of her secrets.
pub fn open(page: &Url) -> bool {
    open::commands(page.as_str()).into_iter().any(|mut command| {
        command.env_remove(PASSPHRASE).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().is_ok()
    })
}
