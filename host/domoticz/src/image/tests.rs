//! Sets of plugins and of the operator, and who sees and changes which.

use super::*;
use crate::icons::tests::{PNG, archive, files, zeros};
use cordon_base::limits::Limits;
use cordon_base::pool::Pools;

fn images(folder: &std::path::Path) -> Images {
    Images::new(Store::open(&folder.join("db"), &[crate::SCHEMA]).unwrap())
}

fn set(base: &str) -> Vec<u8> {
    archive(&format!("{base};Name;About"), &[base])
}

fn owner(key: &str) -> Owner {
    Owner {
        key: key.to_owned(),
        limit: 1 << 20,
        account: Account::new(&Limits::default()),
        pool: Pools::default().files,
    }
}

async fn create(images: &Images, key: &str, file: Vec<u8>) -> Result<Vec<Image>, ImageError> {
    let made = images.create(&owner(key), file).await;
    made.map(|(images, _)| images)
}

async fn bases(images: &Images, key: &str) -> Vec<String> {
    let (images, _) = images.of(&owner(key)).await.unwrap();
    images.into_iter().map(|image| image.base).collect()
}

#[tokio::test]
async fn a_plugin_makes_sets_and_sees_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let made = create(&images, "kodi", set("KodiBlack")).await.unwrap();
    let expected = Image {
        id: 101,
        base: "KodiBlack".to_owned(),
        name: "Name".to_owned(),
        description: "About".to_owned(),
    };
    assert_eq!(made, [expected]);
    assert_eq!(images.of(&owner("kodi")).await.unwrap().0, made);
    assert!(bases(&images, "Other").await.is_empty());
    for icon in [Icon::Small, Icon::On, Icon::Off] {
        assert_eq!(images.icon(101, icon).await.unwrap().unwrap(), PNG);
    }
    assert_eq!(images.icon(1, Icon::On).await.unwrap(), None);
    let by_base = images.icon_of("KodiBlack", Icon::On).await.unwrap();
    assert_eq!(by_base.unwrap(), PNG);
}

#[tokio::test]
async fn plugins_of_which_one_key_begins_the_other_share_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    // The shorter key comes first and takes the name; it does not keep it from anybody.
    let early = create(&images, "K", set("KodiWhite")).await.unwrap();
    let mine = create(&images, "Kodi", set("KodiBlack")).await.unwrap();
    let other = files(&[
        ("icons.txt", b"KodiBlack;REPLACED;D"),
        ("KodiBlack.png", &zeros(9)),
        ("KodiBlack48_On.png", &zeros(9)),
        ("KodiBlack48_Off.png", &zeros(9)),
    ]);
    let theirs = create(&images, "K", other.clone()).await.unwrap();
    assert_ne!(theirs[0].id, mine[0].id);
    assert_eq!(bases(&images, "Kodi").await, ["KodiBlack"]);
    let (seen, _) = images.of(&owner("Kodi")).await.unwrap();
    assert_eq!(seen, mine, "nothing of it was replaced");
    let shown = images.icon_of("KodiBlack", Icon::On).await.unwrap();
    assert_eq!(shown.unwrap(), PNG);
    for id in [mine[0].id, early[0].id + 50] {
        let removed = images.delete(Some("K"), id).await;
        assert_eq!(removed, Err(ImageError::Missing));
    }
    let removed = images.delete(Some("K"), early[0].id).await.unwrap();
    assert_eq!(removed.base, "KodiWhite");
    // The operator's set goes before both, and neither plugin can change it.
    images.upload(&Pools::default().files, other).await.unwrap();
    let shown = images.icon_of("KodiBlack", Icon::On).await.unwrap();
    assert_eq!(shown.unwrap(), zeros(9));
}

#[tokio::test]
async fn a_base_need_not_start_with_the_key_and_is_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let other = |content: &[u8]| {
        files(&[
            ("icons.txt", b"heat;N;D"),
            ("heat.png", content),
            ("heat48_On.png", content),
            ("heat48_Off.png", content),
        ])
    };
    let first = create(&images, "Thermostat", other(&PNG)).await.unwrap();
    let second = create(&images, "LongestKeyOfAll", other(&zeros(9)))
        .await
        .unwrap();
    assert_ne!(first[0].id, second[0].id);
    assert_eq!(bases(&images, "Thermostat").await, ["heat"]);
    let shown = async || images.icon_of("heat", Icon::On).await.unwrap().unwrap();
    assert_eq!(shown().await, PNG, "the oldest");
    create(&images, "hea", other(&zeros(10))).await.unwrap();
    assert_eq!(shown().await, zeros(10), "the one that is named so");
    let removed = images.delete(Some("LongestKeyOfAll"), first[0].id).await;
    assert_eq!(removed, Err(ImageError::Missing));
}

#[tokio::test]
async fn a_plugin_sees_what_the_operator_brought_and_does_not_change_it() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let brought = images
        .upload(&Pools::default().files, set("KodiBlue"))
        .await
        .unwrap();
    assert_eq!(bases(&images, "kodi").await, ["KodiBlue"]);
    assert!(bases(&images, "Other").await.is_empty());
    let removed = images.delete(Some("kodi"), brought[0].id).await;
    assert_eq!(removed, Err(ImageError::Missing));
    let made = create(&images, "kodi", set("KodiBlue")).await.unwrap();
    assert_ne!(made[0].id, brought[0].id);
    assert_eq!(
        images.of(&owner("kodi")).await.unwrap().0,
        made,
        "one of each base"
    );
    assert_eq!(
        images.delete(None, brought[0].id).await.unwrap().base,
        "KodiBlue"
    );
}

#[tokio::test]
async fn no_plugin_has_the_names_of_pictures_that_everybody_has() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    for (key, base) in [("L", "Light"), ("tv", "TV"), ("m", "Motion")] {
        let refused = create(&images, key, set(base)).await;
        assert_eq!(refused, Err(ImageError::BuiltIn(base.to_owned())));
    }
    create(&images, "L", set("Light2")).await.unwrap();
}

#[tokio::test]
async fn a_set_that_is_there_is_replaced_and_keeps_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    create(&images, "Kodi", set("Kodi")).await.unwrap();
    let again = archive("Kodi;New;Text", &["Kodi"]);
    let made = create(&images, "Kodi", again).await.unwrap();
    assert_eq!((made[0].id, made[0].name.as_str()), (101, "New"));
    images.describe(101, "N", "D").await.unwrap();
    assert_eq!(images.all().await.unwrap()[0].description, "D");
    assert_eq!(images.describe(9, "N", "D").await, Err(ImageError::Missing));
}

#[tokio::test]
async fn a_set_that_is_the_same_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let changes = async |file| {
        create(&images, "Kodi", file).await.unwrap();
        let written = images
            .store
            .write(|transaction| Ok::<_, StoreError>(transaction.total_changes()));
        written.await.unwrap()
    };
    let first = changes(set("Kodi")).await;
    assert_eq!(changes(set("Kodi")).await, first);
    assert_eq!(
        changes(archive("Kodi;New;About", &["Kodi"])).await,
        first + 1
    );
}

#[tokio::test]
async fn a_plugin_removes_its_own_sets_only() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    create(&images, "Kodi", set("Kodi")).await.unwrap();
    assert_eq!(
        images.delete(Some("Other"), 101).await,
        Err(ImageError::Missing)
    );
    assert_eq!(images.all().await.unwrap().len(), 1);
    assert_eq!(images.delete(Some("Kodi"), 101).await.unwrap().base, "Kodi");
    assert_eq!(images.delete(None, 101).await, Err(ImageError::Missing));
}

#[tokio::test]
async fn all_sets_of_a_key_count_against_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let one = u64::try_from(3 * PNG.len() + 1 + "NameAbout".len()).unwrap() + SET;
    let tight = |key: &str, limit| Owner {
        limit,
        ..owner(key)
    };
    images.create(&tight("K", one), set("K")).await.unwrap();
    // The set comes again and counts once.
    images.create(&tight("K", one), set("K")).await.unwrap();
    let more = images.create(&tight("K", one + 1), set("KA")).await;
    let ImageError::Limit(hit) = more.unwrap_err() else {
        panic!("no limit");
    };
    assert_eq!((hit.which, hit.limit), ("stored-bytes", one + 1));
    assert_eq!(images.all().await.unwrap().len(), 1);
    images
        .create(&tight("Other", one + 4), set("Other"))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_listed_is_charged_first() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    create(&images, "Kodi", set("Kodi")).await.unwrap();
    let limits: Limits = toml::from_str("host-memory = 256").unwrap();
    let poor = Owner {
        account: Account::new(&limits),
        ..owner("Kodi")
    };
    assert!(matches!(images.of(&poor).await, Err(ImageError::Limit(_))));
    let (_, charge) = images.of(&owner("Kodi")).await.unwrap();
    assert!(charge.bytes() > SET);
}
