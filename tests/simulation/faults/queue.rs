//! A queue that loses, duplicates and reorders messages.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::Wakeup;
use holdfast_queue::{Delivery, Message, Queue};

use super::injector::Faulty;

/// Messages of the run's next versions, after which its steps would come too early: with its lease, and with another one.
fn forge(message: &Message, nonce: i64) -> [Message; 3] {
    let Wakeup { run_id, version, nonce: own } = message.wakeup;
    [(1, own), (1, nonce), (2, 0)].map(|(ahead, nonce)| Message {
        wakeup: Wakeup { run_id, version: version + ahead, nonce },
        ..message.clone()
    })
}

#[async_trait]
impl Queue for Faulty<Arc<dyn Queue>> {
    async fn publish(&self, messages: &[Message]) -> Result<(), holdfast_queue::Error> {
        let injector = &self.injector;
        let (mut sent, mut forged) = (Vec::new(), Vec::new());
        for message in messages {
            if injector.happens(injector.rates.message_lost, &injector.fault_counts.messages_lost) {
                continue;
            }
            sent.push(message.clone());
            if injector.happens(injector.rates.message_doubled, &injector.fault_counts.messages_doubled) {
                sent.push(message.clone());
            }
            if injector.rates.message_forged > 0.0
                && injector.happens(injector.rates.message_forged, &injector.fault_counts.messages_forged)
            {
                forged.extend(forge(message, injector.rng.lock().unwrap().i64(..)));
            }
        }
        injector.rng.lock().unwrap().shuffle(&mut sent);
        sent.extend(forged);
        self.around(self.inner.publish(&sent)).await
    }

    async fn receive(&self) -> Result<Delivery, holdfast_queue::Error> {
        self.around(self.inner.receive()).await
    }
}
