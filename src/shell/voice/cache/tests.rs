use super::*;
use crate::speech::wav::Sound;

const MEGABYTE: u64 = 1 << 20;

fn open(dir: &Path, most: u64) -> Cache {
    Cache::open(dir, most).unwrap()
}

async fn keep(cache: &Cache, name: Name, samples: usize) -> io::Result<PathBuf> {
    let mut growing = cache.begin(name).await?;
    growing.append(&vec![1_000; samples]).await?;
    cache.keep(name, growing).await
}

fn make_old(path: &Path) {
    let long_ago = SystemTime::now() - MAY_BE_PLAYING - Duration::from_secs(60);
    std::fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
}

fn files(dir: &Path) -> usize {
    list(dir).into_iter().map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn what_is_kept_is_found_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path(), MEGABYTE);
    let name = cache.name(&["Elena", "ru", "Раз."]);
    assert_eq!(cache.get(name), None);
    let path = keep(&cache, name, 800).await.unwrap();
    assert_eq!(cache.get(name), Some(path.clone()));
    let sound = Sound::read(&std::fs::read(&path).unwrap()).unwrap();
    // As loud as the shipped sounds.
    assert_eq!(sound, Sound { rate: 8_000, channels: 1, samples: vec![3_277; 800] });

    let again = open(dir.path(), MEGABYTE);
    assert_eq!(again.name(&["Elena", "ru", "Раз."]), name, "the folder keeps its key");
    assert_eq!(again.get(name), Some(path));
    // The sound and the key; nothing half done.
    assert_eq!(files(dir.path()), 2);
}

#[test]
fn names_tell_everything_apart_and_cannot_be_guessed_in_another_folder() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = open(one.path(), MEGABYTE);
    let names = [["a", "bc"], ["ab", "c"], ["a", "b"], ["A", "bc"]].map(|parts| cache.name(&parts));
    let different: std::collections::HashSet<_> = names.into_iter().collect();
    assert_eq!(different.len(), names.len());
    assert_ne!(open(other.path(), MEGABYTE).name(&["a", "bc"]), names[0]);
    assert_eq!(Name::parse(&names[0].to_string()), Some(names[0]));
}

#[tokio::test]
async fn a_growing_sound_can_be_played_before_it_is_whole_and_stays_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path(), MEGABYTE);
    let name = cache.name(&["x"]);
    let mut growing = cache.begin(name).await.unwrap();
    growing.append(&[5; 480]).await.unwrap();
    assert_eq!(growing.length(), Duration::from_millis(60));
    let live = growing.play();
    let bytes = std::fs::read(&live).unwrap();
    assert_eq!(bytes.len(), HEADER + 960, "a player sees what there is");
    assert_eq!(bytes[40..44], ENDLESS.to_le_bytes());
    assert_eq!(cache.get(name), None, "not whole yet");
    growing.append(&[6; 480]).await.unwrap();
    let path = cache.keep(name, growing).await.unwrap();
    assert_eq!(std::fs::metadata(&live).unwrap().len(), std::fs::metadata(&path).unwrap().len());
    // It goes when nobody can be playing it any more.
    cache.scan();
    assert!(live.exists());
    make_old(&live);
    cache.scan();
    assert!(!live.exists());
}

#[tokio::test]
async fn what_nobody_began_to_play_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path(), MEGABYTE);
    let mut growing = cache.begin(cache.name(&["x"])).await.unwrap();
    growing.append(&[5; 480]).await.unwrap();
    drop(growing);
    assert_eq!(files(dir.path()), 1);
}

#[tokio::test]
async fn a_damaged_file_is_not_played_and_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path(), MEGABYTE);
    let name = cache.name(&["x"]);
    let path = keep(&cache, name, 800).await.unwrap();
    let good = std::fs::read(&path).unwrap();
    let spoilt: [Vec<u8>; 5] =
        [vec![], good[..20].to_vec(), good[..good.len() - 1].to_vec(), vec![0; good.len()], [&good[..], b"x"].concat()];
    for bytes in spoilt {
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(cache.get(name), None, "{} bytes", bytes.len());
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(cache.get(name), None);
    keep(&cache, name, 800).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), good);
}

#[tokio::test]
async fn what_was_heard_least_recently_goes_first_but_nothing_that_may_be_playing() {
    let dir = tempfile::tempdir().unwrap();
    // Room for ten of a thousand samples.
    let cache = open(dir.path(), 10 * 2_044);
    let name = |number: usize| cache.name(&[&number.to_string()]);
    for number in 0..10 {
        make_old(&keep(&cache, name(number), 1_000).await.unwrap());
    }
    let again = open(dir.path(), 10 * 2_044);
    again.scan();
    assert!(again.get(name(0)).is_some(), "heard just now");
    for number in 10..18 {
        keep(&again, name(number), 1_000).await.unwrap();
    }
    assert!(again.get(name(0)).is_some());
    let left = (1..10).filter(|number| again.get(name(*number)).is_some()).count();
    assert!(left <= 1, "{left}");
    assert!(again.lock().bytes <= 10 * 2_044);
    // All that is there may be playing: what is new must do without.
    let mut number = 100;
    let full = loop {
        number += 1;
        if let Err(full) = keep(&again, name(number), 1_000).await {
            break full;
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert!(full.to_string().contains("speech.cache_mb"));
}

#[tokio::test]
async fn two_writers_of_one_sentence_leave_one_whole_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (open(dir.path(), MEGABYTE), open(dir.path(), MEGABYTE));
    let name = one.name(&["x"]);
    assert_eq!(other.name(&["x"]), name);
    let (a, b) = tokio::join!(keep(&one, name, 700), keep(&other, name, 700));
    assert_eq!(a.unwrap(), b.unwrap());
    assert!(one.get(name).is_some() && other.get(name).is_some());
    assert_eq!(files(dir.path()), 2);
}
