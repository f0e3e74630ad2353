// What each ear hears of a recording: both sides as they are, the other way round, or one of them in both ears.

/// How loud [left in left, left in right, right in left, right in right] is.
const WAYS = {
  both: [1, 0, 0, 1],
  swapped: [0, 1, 1, 0],
  left: [1, 1, 0, 0],
  right: [0, 0, 1, 1],
};

export const SIDES = Object.keys(WAYS);

/// Puts itself between the element and the loudspeaker; answers how to choose. To be called from a click: browsers give
/// no sound before.
export function mixer(element) {
  const context = new AudioContext();
  const splitter = context.createChannelSplitter(2);
  const merger = context.createChannelMerger(2);
  context.createMediaElementSource(element).connect(splitter);
  const gains = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([from, to]) => {
    const gain = context.createGain();
    splitter.connect(gain, from);
    gain.connect(merger, 0, to);
    return gain;
  });
  merger.connect(context.destination);
  return {
    choose(way) {
      WAYS[way].forEach((loud, index) => (gains[index].gain.value = loud));
    },
    resume: () => context.resume(),
    close: () => context.close(),
  };
}
