//! Tests of actions that take room in the data folder and actions that give it back.

use super::*;
use crate::capability::files::OWN_HANDLES;

#[tokio::test]
async fn a_write_over_the_limit_is_refused_whole_and_told_to_the_author() {
    let mut rig = Rig::new(100, 10);
    let file = rig.create("file").await;
    assert_eq!(rig.write(file, 0, 100).await.unwrap(), 100);
    let error = rig.write(file, 90, 11).await.unwrap_err();
    assert_eq!(code(error), ErrorCode::InsufficientSpace);
    rig.assert_usage(100, 1);
    assert!(rig.logged("limit data-bytes: 101 used, 100 allowed"));
    // Bytes that are there can be overwritten.
    rig.write(file, 0, 100).await.unwrap();
    rig.assert_usage(100, 1);
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_and_told_to_the_author() {
    let mut rig = Rig::new(100, 2);
    rig.create("one").await;
    let data = fd(rig.data);
    let made = rig.view().create_directory_at(data, "two".to_owned()).await;
    made.unwrap();
    let error = rig.open(rig.data, "three", OpenFlags::CREATE).await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::InsufficientSpace);
    let data = fd(rig.data);
    let error = rig
        .view()
        .create_directory_at(data, "three".to_owned())
        .await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::InsufficientSpace);
    rig.assert_usage(0, 2);
    assert!(rig.logged("limit data-files: 3 used, 2 allowed"));
    // A file that is there can be opened, by every way of opening.
    rig.create("one").await;
    rig.open(rig.data, "one", OpenFlags::TRUNCATE)
        .await
        .unwrap();
    rig.assert_usage(0, 2);
}

#[tokio::test]
async fn deleting_gives_back() {
    let mut rig = Rig::new(100, 2);
    rig.fill("one", 100).await;
    let data = fd(rig.data);
    let made = rig.view().create_directory_at(data, "two".to_owned()).await;
    made.unwrap();
    rig.unlink("one").await;
    rig.assert_usage(0, 1);
    let data = fd(rig.data);
    let gone = rig.view().remove_directory_at(data, "two".to_owned()).await;
    gone.unwrap();
    rig.assert_usage(0, 0);
    rig.fill("three", 100).await;
    rig.assert_usage(100, 1);
}

#[tokio::test]
async fn a_deleted_file_is_charged_while_it_is_open() {
    let mut rig = Rig::new(100, 2);
    let file = rig.create("file").await;
    let reader = rig
        .open(rig.data, "file", OpenFlags::empty())
        .await
        .unwrap();
    rig.write(file, 0, 60).await.unwrap();
    rig.unlink("file").await;
    assert_eq!(
        rig.quota.usage(),
        Usage {
            bytes: 60,
            files: 1
        }
    );
    rig.write(file, 60, 10).await.unwrap();
    assert!(rig.write(file, 70, 31).await.is_err());
    assert_eq!(
        rig.quota.usage(),
        Usage {
            bytes: 70,
            files: 1
        }
    );

    // A stream keeps the file as well, whether it writes or reads.
    let stream = rig.appender(file);
    rig.close(file);
    rig.push(&stream, 20).await.unwrap();
    rig.table.delete(stream).unwrap();
    let stream = rig.view().read_via_stream(fd(reader), 0).unwrap();
    rig.close(reader);
    assert_eq!(
        rig.quota.usage(),
        Usage {
            bytes: 90,
            files: 1
        }
    );
    rig.table.delete(stream).unwrap();
    rig.assert_usage(0, 0);
}

#[tokio::test]
async fn holes_count() {
    let mut rig = Rig::new(1000, 2);
    let file = rig.create("file").await;
    for offset in [1000, u64::MAX / 2, u64::MAX] {
        let error = rig.write(file, offset, 1).await.unwrap_err();
        assert_eq!(code(error), ErrorCode::InsufficientSpace);
        let stream = rig.view().write_via_stream(fd(file), offset).unwrap();
        let error = rig.push(&stream, 1).await.unwrap_err();
        assert_eq!(error, ErrorCode::InsufficientSpace);
    }
    for size in [1001, u64::MAX] {
        let error = rig.view().set_size(fd(file), size).await.unwrap_err();
        assert_eq!(code(error), ErrorCode::InsufficientSpace);
    }
    rig.assert_usage(0, 1);
    rig.write(file, 999, 1).await.unwrap();
    rig.assert_usage(1000, 1);
    rig.write(file, u64::MAX, 0).await.unwrap();
    rig.assert_usage(1000, 1);
}

#[tokio::test]
async fn cutting_gives_back() {
    let mut rig = Rig::new(100, 2);
    rig.fill("file", 100).await;
    let file = rig.create("file").await;
    rig.view().set_size(fd(file), 30).await.unwrap();
    rig.assert_usage(30, 1);
    rig.open(rig.data, "file", OpenFlags::TRUNCATE)
        .await
        .unwrap();
    rig.assert_usage(0, 1);
    rig.write(file, 0, 50).await.unwrap();
    let both = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    rig.open(rig.data, "file", both).await.unwrap();
    rig.assert_usage(0, 1);
}

#[tokio::test]
async fn an_appending_stream_is_charged() {
    let mut rig = Rig::new(100, 2);
    let file = rig.create("file").await;
    let stream = rig.appender(file);
    rig.push(&stream, 60).await.unwrap();
    rig.assert_usage(60, 1);
    rig.push(&stream, 40).await.unwrap();
    assert_eq!(
        rig.push(&stream, 1).await,
        Err(ErrorCode::InsufficientSpace)
    );
    rig.assert_usage(100, 1);
    assert!(rig.logged("limit data-bytes"));

    // Free room does not bring the stream back, but a new one works.
    rig.view().set_size(fd(file), 0).await.unwrap();
    assert_eq!(
        rig.push(&stream, 1).await,
        Err(ErrorCode::InsufficientSpace)
    );
    let stream = rig.appender(file);
    rig.push(&stream, 1).await.unwrap();
    rig.assert_usage(1, 1);
}

#[tokio::test]
async fn a_stream_moves_on_and_overwriting_costs_nothing() {
    let mut rig = Rig::new(100, 2);
    let file = rig.create("file").await;
    rig.write(file, 0, 50).await.unwrap();
    let stream = rig.view().write_via_stream(fd(file), 10).unwrap();
    rig.push(&stream, 20).await.unwrap();
    rig.push(&stream, 20).await.unwrap();
    rig.assert_usage(50, 1);
    rig.push(&stream, 5).await.unwrap();
    rig.assert_usage(55, 1);
    let content = fs::read(rig.path("data/file")).unwrap();
    assert_eq!(content, [vec![1; 10], vec![2; 45]].concat());
}

#[tokio::test]
async fn writes_that_are_not_waited_for_are_charged_in_turn() {
    let mut rig = Rig::new(100, 2);
    let file = rig.create("file").await;
    let streams: Vec<_> = (0..10).map(|_| rig.appender(file)).collect();
    for stream in &streams {
        let output = rig.table.get_mut(stream).unwrap();
        assert!(output.check_write().unwrap() > 0);
        output.write(Bytes::from(vec![1; 30])).unwrap();
    }
    let mut refused = 0;
    for stream in &streams {
        let output = rig.table.get_mut(stream).unwrap();
        output.ready().await;
        refused += usize::from(output.check_write().is_err());
    }
    assert_eq!(refused, 7);
    rig.assert_usage(90, 1);
}

#[tokio::test]
async fn a_dropped_stream_writes_what_it_accepted() {
    let mut rig = Rig::new(100, 2);
    let file = rig.create("file").await;
    let stream = rig.appender(file);
    let output = rig.table.get_mut(&stream).unwrap();
    output.write(Bytes::from(vec![1; 30])).unwrap();
    rig.table.delete(stream).unwrap().cancel().await;
    rig.assert_usage(30, 1);
}

#[tokio::test]
async fn renaming_over_a_file_gives_it_back() {
    let mut rig = Rig::new(100, 3);
    rig.fill("one", 40).await;
    rig.fill("two", 50).await;
    rig.rename("one", "three").await;
    rig.assert_usage(90, 2);
    rig.rename("three", "two").await;
    rig.assert_usage(40, 1);
    rig.rename("two", "two").await;
    rig.rename("two", "./two").await;
    rig.assert_usage(40, 1);
    for name in ["folder", "other"] {
        let data = fd(rig.data);
        let made = rig.view().create_directory_at(data, name.to_owned()).await;
        made.unwrap();
    }
    rig.rename("folder", "other").await;
    rig.rename("other/", "other").await;
    rig.assert_usage(40, 2);
}

#[tokio::test]
async fn a_file_replaced_while_open_is_charged_until_closed() {
    let mut rig = Rig::new(100, 3);
    rig.fill("new", 10).await;
    let old = rig.create("old").await;
    rig.write(old, 0, 40).await.unwrap();
    rig.rename("new", "old").await;
    assert_eq!(
        rig.quota.usage(),
        Usage {
            bytes: 50,
            files: 2
        }
    );
    rig.close(old);
    rig.assert_usage(10, 1);
}

#[tokio::test]
async fn what_fails_charges_nothing() {
    let mut rig = Rig::new(100, 3);
    rig.fill("file", 10).await;
    let exclusive = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    let error = rig.open(rig.data, "file", exclusive).await.unwrap_err();
    assert_eq!(code(error), ErrorCode::Exist);
    let error = rig.open(rig.data, "absent/file", OpenFlags::CREATE).await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::NoEntry);
    let data = fd(rig.data);
    let error = rig
        .view()
        .create_directory_at(data, "file".to_owned())
        .await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::Exist);
    let data = fd(rig.data);
    let error = rig.view().unlink_file_at(data, "absent".to_owned()).await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::NoEntry);
    rig.assert_usage(10, 1);
}

#[tokio::test]
async fn a_full_table_of_handles_is_an_error_and_no_trap() {
    let mut rig = Rig::new(100, 10);
    rig.create("first").await;
    rig.table.set_max_capacity(3 + OWN_HANDLES);
    while rig.table.push(()).is_ok() {}
    let error = rig.open(rig.data, "second", OpenFlags::CREATE).await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::InsufficientMemory);
    assert!(rig.logged("limit handles: 4 used, 3 allowed"));
    // The file was made before the handle was refused.
    rig.assert_usage(0, 2);
    let data = fd(rig.data);
    let error = rig.view().read_directory(data).await.err().unwrap();
    assert_eq!(code(error), ErrorCode::InsufficientMemory);
}
