//! Indigo plugins of the hub, and the server that they share.

use std::sync::Arc;

use super::Hub;
use crate::config::{IndigoSection, all_levels};
use crate::instance::Spec;
use crate::instance::indigo::Link;
use crate::instance::supervisor::{self, Services};
use cordon_base::error::EngineError;
use cordon_base::folders::BUNDLES_FOLDER;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::{IndigoServer, Plugin, ServerOptions};
use cordon_protocol::Credentials;
use cordon_reach::egress::{NetworkPolicy, OwnTarget};
use cordon_reach::process::ProcessPolicy;
use cordon_reach::serial::SerialPolicy;

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
        let Services {
            store,
            events,
            pools,
            ..
        } = self.maker.services.clone();
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
        let server = self.indigo().await?;
        let info = bundle.info.clone();
        let name = match &section.name {
            Some(name) => name.clone(),
            None => info.log_name().map_err(EngineError::Config)?.to_owned(),
        };
        let id = self
            .maker
            .services
            .store
            .hardware_for(&name, &info.identifier);
        let id = id
            .await
            .map_err(|error| EngineError::Store(error.to_string()))?;
        let mut folders = self.maker.folders(id, section.plugin_folder, &bundle.root);
        folders.listed_in = BUNDLES_FOLDER;
        let log = PluginLog::new(self.maker.services.events.clone(), &name, &section.limits);
        let data = folders.data.clone();
        let parameters = cordon_indigo::setup::parameters(&bundle);
        let serial = Arc::new(SerialPolicy::new(&section.grants.serial, None));
        let plugin = Plugin::new(bundle, data, section.limits.clone(), log);
        let plugin = plugin
            .with_serial(Arc::clone(&serial))
            .with_mail(section.grants.mail.clone());
        let plugin = server.add(plugin)?;
        for fault in &plugin.bundle.definitions.faults {
            plugin.log.hub(Level::Warning, &fault.to_string());
        }
        let nothing = OwnTarget::default();
        let network = NetworkPolicy::new(
            &nothing,
            section.grants.clone(),
            self.maker.listeners.to_vec(),
        );
        let programs = ProcessPolicy::new(section.grants.exec.clone(), folders.clone());
        let spec = Spec {
            hardware: id,
            name,
            key: info.identifier,
            log_level: all_levels(),
            folders,
            parameters,
            environment: section.environment.clone().into_iter().collect(),
            limits: section.limits.clone(),
            account: Arc::clone(&plugin.account),
            network: Arc::new(network),
            programs: Arc::new(programs),
            serial,
            guards: false,
            credentials: Credentials::default(),
            keys: section.grants.keys.clone(),
            tls: self.maker.tls.get(section.verify_tls)?,
            indigo: Some(Link {
                server,
                plugin: Arc::clone(&plugin),
            }),
        };
        let handle = supervisor::start(self.maker.services.clone(), spec);
        plugin.attach(Arc::new(handle.remote()));
        self.instances.push(handle);
        Ok(())
    }
}
