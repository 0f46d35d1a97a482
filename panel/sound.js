/* SPDX-License-Identifier: Apache-2.0 */
/* sound.js - the chime of a new order, made here rather than loaded; browsers let it sound once somebody has touched the
 * page. */

const KEY = 'kurye.sound';
let audio = null;

addEventListener('pointerdown', () => {
  audio ??= new AudioContext();
  audio.resume();
}, { passive: true });

export const sound = {
  isOn: () => localStorage.getItem(KEY) !== 'off',
  turn() {
    localStorage.setItem(KEY, sound.isOn() ? 'off' : 'on');
    if (sound.isOn()) chime();
  },
};

export function chime() {
  if (!sound.isOn() || !audio || audio.state !== 'running') return;
  [880, 1175, 1568].forEach((pitch, i) => {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    const at = audio.currentTime + i * 0.16;

    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, at);
    loudness.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.5);
  });
}
