//! Indigo plugins of the hub, and the server that they share.

use std::sync::Arc;

use super::Hub;
use super::maker::Draft;
use cordon_base::error::EngineError;
use cordon_base::folders::BUNDLES_FOLDER;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::config::IndigoSection;
use cordon_indigo::{IndigoServer, InstancePort, Link, Plugin, ServerOptions, setup};
use cordon_reach::egress::OwnTarget;
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
        let server = self.indigo().await?;
        let info = bundle.info.clone();
        // The devices are kept under the first of the two.
        let (name, shown) = match &section.name {
            Some(name) => (name.clone(), name.clone()),
            None => {
                let shown = info.log_name().map_err(EngineError::Config)?;
                (info.display_name.clone(), shown)
            }
        };
        let id = self.id_of(&name, &info.identifier).await?;
        let instance = &section.instance;
        let access = instance.plugin_folder;
        let folders = self.folders(id, access, &bundle.root, BUNDLES_FOLDER);
        let events = self.maker.services.events.clone();
        let origin = instance.origin.clone();
        let log = PluginLog::with_levels(events, &shown, &instance.limits, u32::MAX, origin);
        let data = folders.data.clone();
        let parameters = setup::parameters(&bundle);
        let serial = SerialPolicy::new(&instance.grants.serial, None);
        let serial = Arc::new(serial.with_origin(&instance.origin));
        let plugin = Plugin::new(bundle, data, instance.limits.clone(), log.clone());
        let plugin = plugin
            .with_serial(Arc::clone(&serial))
            .with_mail(instance.grants.mail.clone());
        let plugin = server.add(plugin)?;
        for fault in &plugin.bundle.definitions.faults {
            plugin.log.hub(Level::Warning, &fault.to_string());
        }
        let draft = Draft {
            id,
            name: shown,
            key: info.identifier,
            folders,
            log,
            account: Arc::clone(&plugin.account),
            parameters,
            own: OwnTarget::default(),
            serial,
            framework: Arc::new(Link {
                server,
                plugin: Arc::clone(&plugin),
            }),
        };
        let remote = self.start_instance(instance, draft)?;
        plugin.attach(Arc::new(InstancePort::new(remote)));
        Ok(())
    }
}
