//! A queue that loses, duplicates and reorders messages.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_queue::{Delivery, Message, Queue};

use super::injector::Faulty;

#[async_trait]
impl Queue for Faulty<Arc<dyn Queue>> {
    async fn publish(&self, messages: &[Message]) -> Result<(), holdfast_queue::Error> {
        let injector = &self.injector;
        let mut sent = Vec::new();
        for message in messages {
            if injector.happens(injector.rates.message_lost, &injector.fault_counts.messages_lost) {
                continue;
            }
            sent.push(message.clone());
            if injector.happens(injector.rates.message_doubled, &injector.fault_counts.messages_doubled) {
                sent.push(message.clone());
            }
        }
        injector.rng.lock().unwrap().shuffle(&mut sent);
        self.around(self.inner.publish(&sent)).await
    }

    async fn receive(&self) -> Result<Delivery, holdfast_queue::Error> {
        self.around(self.inner.receive()).await
    }
}
