//! Indigo plugins of the hub, and the server that they share.

use std::sync::Arc;

use super::Hub;
use super::configured::Section;
use cordon_base::error::EngineError;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::config::IndigoSection;
use cordon_indigo::{IndigoServer, ServerOptions};

impl Hub {
    /// Describes this hub to the Indigo server; to be called before the server is first asked for.
    pub fn describe(&mut self, options: ServerOptions) {
        self.indigo_options = options;
    }

    /// The Indigo server of this hub.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when its objects cannot be read.
    pub async fn indigo(&mut self) -> Result<Arc<IndigoServer>, EngineError> {
        if let Some(server) = &self.indigo {
            return Ok(Arc::clone(server));
        }
        let store = self.domoticz.store.clone();
        let (events, pools) = (
            self.maker.services.events.clone(),
            self.maker.services.pools.clone(),
        );
        let options = self.indigo_options.clone();
        let server = IndigoServer::open(store, events, pools, options).await?;
        self.indigo = Some(Arc::clone(&server));
        Ok(server)
    }

    /// Reads the bundle of an Indigo plugin and starts it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when the bundle is broken or runs already.
    pub async fn start_indigo(&mut self, section: &IndigoSection) -> Result<(), EngineError> {
        let bundle = Bundle::open_in_time(&section.bundle).await;
        let bundle = bundle.map_err(|problem| EngineError::Config(problem.to_string()))?;
        self.start_bundle(section, bundle).await
    }

    /// Starts an Indigo plugin whose bundle was read.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when it runs already, or needs a name for the log.
    pub async fn start_bundle(
        &mut self,
        section: &IndigoSection,
        bundle: Bundle,
    ) -> Result<(), EngineError> {
        self.indigo().await?;
        let handle = self.starter().start_bundle(section, bundle, None).await?;
        let section = Section::Indigo(Arc::new(section.clone()));
        self.configured
            .add(&section.label(), Some(section.clone()), handle);
        Ok(())
    }

    /// Puts an instance of this bundle, as it is now, in the place of the one that runs.
    ///
    /// # Errors
    ///
    /// As [`Self::start_indigo`]; the former instance runs on.
    pub async fn replace_indigo(&mut self, section: &IndigoSection) -> Result<(), EngineError> {
        let section = Section::Indigo(Arc::new(section.clone()));
        match self.configured.labelled(&section.label()) {
            Some(entry) => self.starter().renew(&entry, &section).await,
            None => Err(EngineError::Config("no such plugin runs".to_owned())),
        }
    }
}
