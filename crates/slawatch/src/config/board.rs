//! `[board]`: where the wallboard is found, and who may see and act.

use std::fmt;

use serde::Deserialize;
use slawatch_board::{AccessOptions, Role, TokenGrant};
use slawatch_dispatcher::{DispatcherConfig, DispatcherError};

use super::Secret;

/// The wallboard.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Board {
    /// Address and port; loopback unless told otherwise.
    pub listen: String,
    /// The zone of "today" and of the clocks on the page.
    pub time_zone: String,
    /// Who may see and act.
    pub access: BoardAccess,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            time_zone: "UTC".to_owned(),
            access: BoardAccess::default(),
        }
    }
}

/// Who may see and act.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoardAccess {
    /// Whoever reaches the board may act, under whatever name.
    pub open: bool,
    /// Whoever reaches the board may see; not set: if that is this machine alone.
    pub free_reading: Option<bool>,
    /// Who is known.
    pub tokens: Vec<BoardToken>,
}

/// Somebody's token.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardToken {
    /// Stands beside whatever is done with it.
    pub name: String,
    /// What may be done with it.
    pub role: Role,
    /// The token itself.
    pub token: Secret,
}

impl fmt::Debug for BoardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardToken")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Board {
    /// For the board, which people reach where messages lead, and which takes the links that the dispatcher signs.
    ///
    /// # Errors
    /// If the secret of those links cannot be read.
    pub fn access_options(
        &self,
        dispatcher: &DispatcherConfig,
    ) -> Result<AccessOptions, DispatcherError> {
        let grant = |token: &BoardToken| TokenGrant {
            name: token.name.clone(),
            role: token.role,
            token: token.token.expose().to_owned(),
        };
        let options = AccessOptions {
            tokens: self.access.tokens.iter().map(grant).collect(),
            open: self.access.open,
            free_reading: self.access.free_reading,
            url: dispatcher.board_url.clone(),
            ..AccessOptions::default()
        };
        Ok(match &dispatcher.link_secret {
            Some(source) => {
                let secret = source.resolve("dispatcher", "link_secret")?;
                options.with_link_key(secret.expose())
            }
            None => options,
        })
    }
}
