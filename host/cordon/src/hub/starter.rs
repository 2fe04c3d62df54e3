//! Makes the instances of the configuration, at the start of the hub and whenever the operator says
//! so.

use std::sync::Arc;

use super::configured::{Configured, Entry, Section, Standing};
use super::domoticz::HardwareMaker;
use super::maker::Draft;
use cordon_base::error::EngineError;
use cordon_base::folders::BUNDLES_FOLDER;
use cordon_base::log::{EventLog, Level};
use cordon_base::plugin_log::PluginLog;
use cordon_base::problems::Problems;
use cordon_domoticz::catalogue::Library;
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::PluginDefinition;
use cordon_indigo::bundle::Bundle;
use cordon_indigo::config::IndigoSection;
use cordon_indigo::{IndigoServer, InstancePort, Link, Plugin, setup};
use cordon_reach::egress::OwnTarget;
use cordon_reach::serial::SerialPolicy;
use cordon_runtime::instance::supervisor::Handle;

/// Everything that an instance of the configuration is made with. Clones share it.
#[derive(Clone)]
pub(super) struct Starter {
    pub(super) hardware: HardwareMaker,
    pub(super) configured: Configured,
    pub(super) indigo: Option<Arc<IndigoServer>>,
    pub(super) library: Option<Library>,
    pub(super) problems: Problems,
}

impl Starter {
    /// The row id of the instance with this name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when it cannot be made, or belongs to another plugin.
    pub(super) async fn id_of(&self, name: &str, key: &str) -> Result<u32, EngineError> {
        let id = self.hardware.domoticz.store.hardware_for(name, key).await;
        id.map_err(|error| EngineError::Store(error.to_string()))
    }

    /// Starts the instance of a section whose definition was read, in the place of its former
    /// actor. An instance that the operator has stopped stays so.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it cannot be made; then the former one runs on.
    pub(super) async fn start_hardware(
        &self,
        section: &HardwareSection,
        definition: &PluginDefinition,
        former: Option<&Handle>,
    ) -> Result<Arc<Handle>, EngineError> {
        let id = self.id_of(&section.name, &definition.key).await?;
        let spec = self.hardware.spec(id, section, definition)?;
        let stopped = self.is_stopped(id).await?;
        self.end(former).await;
        Ok(Arc::new(self.hardware.maker.start(spec, stopped)))
    }

    /// Starts an Indigo plugin whose bundle was read, in the place of its former actor. One that
    /// the operator has stopped stays so.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it cannot be made; then the former one runs on.
    pub(super) async fn start_bundle(
        &self,
        section: &IndigoSection,
        bundle: Bundle,
        former: Option<&Handle>,
    ) -> Result<Arc<Handle>, EngineError> {
        let server = self.indigo.clone();
        let server = server.ok_or_else(|| {
            EngineError::Config("this hub was started without an Indigo server".to_owned())
        })?;
        let info = bundle.info.clone();
        // The devices are kept under the first of the two.
        let (name, shown) = match &section.name {
            Some(name) => (name.clone(), name.clone()),
            None => {
                let shown = info.log_name().map_err(EngineError::Config)?;
                (info.display_name.clone(), shown)
            }
        };
        let same = |it: &Handle| {
            let spec = it.remote().spec;
            spec.key == info.identifier && spec.name == shown
        };
        if former.is_some_and(|former| !same(former)) {
            return Err(EngineError::Config(format!(
                "the bundle is another plugin by now, `{}` called `{shown}`; start the hub again, or \
                 take its section out of cordon.toml and put it back in two steps",
                info.identifier
            )));
        }
        let id = self.id_of(&name, &info.identifier).await?;
        let stopped = self.is_stopped(id).await?;
        let maker = &self.hardware.maker;
        let instance = &section.instance;
        // All that may fail comes before the former one has ended.
        maker.tls.get(instance.verify_tls)?;
        let access = instance.plugin_folder;
        let folders = maker.folders(id, access, &bundle.root, BUNDLES_FOLDER);
        let events = maker.services.events.clone();
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
        let plugin = match former {
            Some(former) => {
                self.end(Some(former)).await;
                server.replace(plugin)
            }
            None => server.add(plugin)?,
        };
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
        let handle = Arc::new(maker.start(maker.spec(instance, draft)?, stopped));
        plugin.attach(Arc::new(InstancePort::new(handle.remote())));
        Ok(handle)
    }

    /// Reads the plugin of a section and starts its instance, in the place of the former actor.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it cannot be made; then the former one runs on.
    pub(super) async fn load(
        &self,
        section: &Section,
        former: Option<&Handle>,
    ) -> Result<Arc<Handle>, EngineError> {
        match section {
            Section::Hardware(section) => {
                let library = self.library.as_ref();
                let library = library.ok_or_else(|| {
                    EngineError::Config("this hub has no folder of plugins".to_owned())
                })?;
                let catalogue = library.look().await;
                let definition = catalogue.find(&section.plugin);
                let definition = definition.ok_or_else(|| {
                    let key = &section.plugin;
                    EngineError::Config(format!("no plugin with key `{key}` in the plugins folder"))
                })?;
                self.start_hardware(section, definition, former).await
            }
            Section::Indigo(section) => {
                let bundle = Bundle::open_in_time(&section.bundle).await;
                let bundle = bundle.map_err(|problem| EngineError::Config(problem.to_string()))?;
                self.start_bundle(section, bundle, former).await
            }
        }
    }

    /// Loads the instance of an entry, with this section from now on. To be called with the turn of
    /// its label.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be made. A former one runs on with its former section.
    pub(super) async fn renew(&self, entry: &Entry, section: &Section) -> Result<(), EngineError> {
        let former = entry.handle().map(|it| &**it);
        let loaded = match former.is_none() && self.is_taken(&section.label()) {
            true => Err(EngineError::Config(
                "an instance of this name runs, which was added through the API; remove it there, \
                 or give the section another name"
                    .to_owned(),
            )),
            false => self.load(section, former).await,
        };
        match loaded {
            Ok(handle) => {
                self.alive(&entry.label, section, handle);
                Ok(())
            }
            Err(error) => {
                if former.is_none() {
                    self.refuse(&entry.label, section, &error);
                }
                Err(error)
            }
        }
    }

    /// Notes that the instance of this label has an actor.
    pub(super) fn alive(&self, label: &str, section: &Section, handle: Arc<Handle>) {
        self.problems.forget_section(label);
        self.configured
            .settle(label, section, Standing::Alive(handle));
    }

    /// Notes and tells that the instance of this label cannot be made.
    pub(super) fn refuse(&self, label: &str, section: &Section, error: &EngineError) {
        let reason = error.to_string();
        let events = &self.hardware.maker.services.events;
        events.record_about(label, Level::Error, &reason);
        self.problems.add_section(label.to_owned(), reason.clone());
        self.configured
            .settle(label, section, Standing::Unloaded { reason });
    }

    /// Stops the instance of an entry and forgets it. Its devices and files stay. To be called with
    /// the turn of its label.
    pub(super) async fn remove(&self, entry: &Entry) {
        if let Some(handle) = entry.handle() {
            self.end(Some(handle)).await;
            if let (Some(Section::Indigo(_)), Some(server)) = (&entry.section, &self.indigo) {
                server.remove(&handle.remote().spec.key);
            }
        }
        self.problems.forget_section(&entry.label);
        self.configured.remove(&entry.label);
    }

    /// The event log.
    pub(super) fn events(&self) -> &EventLog {
        &self.hardware.maker.services.events
    }

    /// Whether an instance of this name has an actor, wherever it comes from.
    fn is_taken(&self, name: &str) -> bool {
        let all = self.hardware.maker.services.instances.all();
        all.iter().any(|it| it.spec.name == name)
    }

    async fn end(&self, former: Option<&Handle>) {
        if let Some(former) = former {
            former.stop(self.hardware.maker.services.grace).await;
        }
    }

    async fn is_stopped(&self, id: u32) -> Result<bool, EngineError> {
        let decided = self.hardware.domoticz.store.decisions(id).await;
        let decided = decided.map_err(|error| EngineError::Store(error.to_string()))?;
        Ok(decided.stopped)
    }
}
