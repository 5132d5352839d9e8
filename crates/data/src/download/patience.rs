use std::time::Duration;

/// How long to wait for a server, and how often to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries in a row without progress before an address is given up; at least 1 is made.
    pub attempts: u32,
    /// The wait before the second try; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait between two tries, whatever the server asks for.
    pub longest_wait: Duration,
    /// How long a server may say nothing while it is connected to or read from.
    pub silence: Duration,
}

impl Default for Patience {
    /// Six tries, waits from one second to five minutes, thirty seconds of silence.
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
            silence: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// The wait after try number `attempt` in a row without progress: the time that the server asked for,
    /// even if it is shorter, or otherwise our own.
    pub(super) fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let own = self.first_wait.saturating_mul(
            1_u32
                .checked_shl(attempt.saturating_sub(1))
                .unwrap_or(u32::MAX),
        );
        asked.unwrap_or(own).min(self.longest_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_the_server_may_ask_for_others() {
        let patience = Patience::default();
        let wait = |attempt| patience.wait(attempt, None).as_secs();
        assert_eq!([wait(1), wait(2), wait(3), wait(4)], [1, 2, 4, 8]);
        assert_eq!((wait(20), wait(4_000_000)), (300, 300));
        let asked = |seconds| {
            patience
                .wait(1, Some(Duration::from_secs(seconds)))
                .as_secs()
        };
        assert_eq!((asked(0), asked(17), asked(100_000)), (0, 17, 300));
    }
}
