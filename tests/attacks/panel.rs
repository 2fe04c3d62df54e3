//! The security status of the house is the hub's: no plugin arms, disarms or hides it.

use cordon_domoticz::{House, Security};

use crate::scene::{FLAT, Scene};
use crate::support::PluginText;

/// Makes a panel of its own and says with it all that a panel can say.
const PANEL: &str = "
def onStart():
    Domoticz.Device(Name='panel', Unit=1, Type=32, Subtype=131, Used=1).Create()
    Domoticz.Log('made %r.' % (1 in Devices))
def onSecurityEvent(Unit, Level, Description):
    Domoticz.Log('hears %d.' % Level)
    if Level != 2: return
    for value in (0, 9, 11, 13, 0): Devices[1].Update(nValue=value, sValue='x')
    other = Domoticz.Device(Name='other', Unit=2, Type=244, Subtype=73, Used=1)
    other.Create()
    Devices[2].Update(nValue=0, sValue='', Type=32, Subtype=131)
    Devices[2].Update(nValue=1, sValue='')
    Domoticz.Log('has said all.')
";

fn house(scene: &Scene) -> House {
    let address = "127.0.0.1:1".parse().unwrap();
    scene.bench.hub.api(address).house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_of_a_plugin_does_not_disarm_the_house() {
    let mut scene = Scene::new().await;
    scene.attack(PANEL, "").await;
    scene.said("made True.").await;
    let house = house(&scene);
    house.set_security(Security::ArmedAway).await.unwrap();
    scene.said("has said all.").await;
    let line = scene.said("denied: setting the security status").await;
    assert!(line.contains("add `security = true`"), "{line}");
    assert_eq!(house.security().await.unwrap(), Security::ArmedAway);
    // Nor does it arm one.
    house.set_security(Security::Disarmed).await.unwrap();
    scene.said("hears 0.").await;
    assert_eq!(house.security().await.unwrap(), Security::Disarmed);
    scene.finish(2 * FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_panel_does_not_keep_the_news_from_the_others() {
    let mut scene = Scene::new().await;
    scene.attack(PANEL, "").await;
    scene.said("made True.").await;
    let guard = PluginText {
        name: "Guard",
        source: PANEL,
        config: "grants = { security = true }",
    };
    scene.bench.start(guard).await;
    scene.bench.line("Guard: made True.").await;
    let house = house(&scene);
    house.set_security(Security::ArmedHome).await.unwrap();
    scene.said("hears 1.").await;
    scene.bench.line("Guard: hears 1.").await;
    // Things that the operator gave to a plugin are its own.
    house.set_security(Security::ArmedAway).await.unwrap();
    scene.bench.line("Guard: has said all.").await;
    assert_eq!(house.security().await.unwrap(), Security::Disarmed);
    scene.finish(2 * FLAT).await;
}
