//! Change feeds, for subscriptions.

use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::access::Viewer;
use crate::feeds::{Asked, Consumer, Event};
use crate::query::View;
use crate::query::filter::Filter;
use crate::query::sql::subscribe::{Change, Follow};
use crate::serve::Service;
use crate::serve::feeds::bound;

/// The feeds of a service.
pub struct Feeds {
    pub service: Arc<Service>,
    /// Who follows.
    pub viewer: Arc<Viewer>,
}

impl Follow for Feeds {
    fn follow(&self, view: &'static View, snapshot: bool) -> BoxStream<'static, Result<Change, String>> {
        let (service, viewer) = (self.service.clone(), self.viewer.clone());
        let begin = if snapshot { Asked::Snapshot } else { Asked::Now };
        let begun = async move {
            let followed = move || {
                let bound = bound(&viewer, view).map_err(|refusal| refusal.message)?;
                let filter = bound.filter(view, Filter::default());
                service.feeds.follow(view, begin, filter, &bound.conditions(&[])).map_err(|error| error.to_string())
            };
            let consumer = tokio::task::spawn_blocking(followed).await.map_err(|error| error.to_string())?;
            let consumer: Consumer = consumer?;
            let changes =
                stream::unfold(consumer, |mut consumer| async move { Some((change(consumer.next().await), consumer)) });
            Ok::<_, String>(changes)
        };
        stream::once(begun).try_flatten().boxed()
    }
}

fn change(event: Event) -> Result<Change, String> {
    match event {
        Event::Snapshot { upper, part } => Ok(Change { at: upper - 1, gone: part.gone, come: part.come }),
        Event::Delta { lower, part } => Ok(Change { at: lower, gone: part.gone, come: part.come }),
        Event::Progress(progress) => Ok(Change { at: progress.upper, gone: Vec::new(), come: Vec::new() }),
        Event::End(reason) => Err(reason.to_string()),
    }
}
