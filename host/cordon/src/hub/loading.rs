//! The first start of the instances of the configuration.

use std::sync::Arc;

use super::Hub;
use super::configured::{Entry, Section, Standing, labelled};
use super::progress::Progress;
use super::starter::Starter;
use crate::config::Config;
use cordon_base::error::EngineError;
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::PluginDefinition;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::config::IndigoSection;

/// The instances of a configuration that are started one by one. The operator may be there before
/// they are, so each is started only if it still waits when its turn comes.
#[derive(Clone)]
pub struct Loading {
    starter: Starter,
    progress: Progress,
}

impl Hub {
    /// Announces the instances of a configuration; nothing is read and nothing starts.
    ///
    /// # Errors
    ///
    /// As [`Hub::indigo`].
    pub async fn announce(&mut self, config: &Config) -> Result<Loading, EngineError> {
        if !config.indigo.is_empty() {
            self.indigo().await?;
        }
        self.progress.begin();
        for (label, section) in labelled(&config.hardware, &config.indigo) {
            self.configured.announce(&label, section);
        }
        Ok(Loading {
            starter: self.starter(),
            progress: self.progress.clone(),
        })
    }
}

impl Loading {
    /// The Domoticz hardware that waits, in the order of the configuration.
    #[must_use]
    pub fn hardware(&self) -> Vec<Arc<HardwareSection>> {
        let waiting = self.waiting().into_iter();
        waiting
            .filter_map(|entry| match entry.section {
                Some(Section::Hardware(section)) => Some(section),
                _ => None,
            })
            .collect()
    }

    /// The Indigo plugins that wait, with their labels, in the order of the configuration.
    #[must_use]
    pub fn bundles(&self) -> Vec<(String, Arc<IndigoSection>)> {
        let waiting = self.waiting().into_iter();
        waiting
            .filter_map(|entry| match entry.section {
                Some(Section::Indigo(section)) => Some((entry.label, section)),
                _ => None,
            })
            .collect()
    }

    /// Keeps the row of hardware that may be started later, so that nothing else takes its place.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when its row cannot be made.
    pub async fn expect(&self, section: &HardwareSection) -> Result<(), EngineError> {
        let id = self.starter.id_of(&section.name, &section.plugin).await?;
        self.starter.configured.keep_row(&section.name, id);
        Ok(())
    }

    /// Starts hardware whose definition was read, or tells why it was not found.
    pub async fn load(
        &self,
        section: &Arc<HardwareSection>,
        definition: Result<&PluginDefinition, EngineError>,
    ) {
        let label = &section.name;
        let _turn = self.starter.configured.turns().take(label.clone()).await;
        if !self.waits(label) {
            return;
        }
        let started = match definition {
            Ok(definition) => {
                let starter = &self.starter;
                starter.start_hardware(section, definition, None).await
            }
            Err(error) => Err(error),
        };
        let section = Section::Hardware(Arc::clone(section));
        match started {
            Ok(handle) => self.starter.alive(label, &section, handle),
            Err(error) => self.starter.refuse(label, &section, &error),
        }
    }

    /// Starts an Indigo plugin whose bundle was read, or tells why it could not be read.
    pub async fn load_bundle(
        &self,
        label: &str,
        section: &Arc<IndigoSection>,
        opened: Result<Bundle, EngineError>,
    ) {
        let _turn = self.starter.configured.turns().take(label.to_owned()).await;
        if !self.waits(label) {
            return;
        }
        let started = match opened {
            Ok(bundle) => self.starter.start_bundle(section, bundle, None).await,
            Err(error) => Err(error),
        };
        let section = Section::Indigo(Arc::clone(section));
        match started {
            Ok(handle) => self.starter.alive(label, &section, handle),
            Err(error) => self.starter.refuse(label, &section, &error),
        }
    }

    /// Notes that every section was tried, but for hardware in folders that do not answer.
    pub fn tried(&self) {
        self.progress.tried();
    }

    /// Notes that no more instances come by themselves.
    pub fn end(&self) {
        self.progress.tried();
        self.progress.end();
    }

    fn waiting(&self) -> Vec<Entry> {
        let mut all = self.starter.configured.all();
        all.retain(|entry| matches!(entry.standing, Standing::Waiting));
        all
    }

    fn waits(&self, label: &str) -> bool {
        let entry = self.starter.configured.labelled(label);
        entry.is_some_and(|entry| matches!(entry.standing, Standing::Waiting))
    }
}
