// What one hears and says: the browser's voice and ears, and the tones of the keys.

const synthesis = window.speechSynthesis;
let voices = [];
const refresh = () => { voices = synthesis ? synthesis.getVoices() : []; };
refresh();
synthesis?.addEventListener?.("voiceschanged", refresh);

/** Whether this browser can read aloud. */
export const canSpeak = () => voices.length > 0;

/** Reads a text; `done` when it is over, however it ended. */
export function speak(text, language, done) {
  synthesis.cancel();
  const words = new SpeechSynthesisUtterance(text);
  if (language) words.lang = language;
  const fit = voices.find((voice) => voice.lang === words.lang)
    ?? voices.find((voice) => voice.lang.startsWith((words.lang || "en").slice(0, 2)));
  if (fit) words.voice = fit;
  let told = false;
  const end = () => { if (!told) { told = true; done(); } };
  words.addEventListener("end", end);
  words.addEventListener("error", end);
  synthesis.speak(words);
}

export const hush = () => synthesis?.cancel();

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const KEYS = ["123", "456", "789", "*0#"];
let audio;

/** The tone of a key, or the beep before a recording. */
export function tone(key) {
  const row = KEYS.findIndex((keys) => keys.includes(key));
  const pitches = row < 0 ? [1000] : [ROWS[row], COLUMNS[KEYS[row].indexOf(key)]];
  try {
    audio ??= new AudioContext();
    const volume = audio.createGain();
    volume.connect(audio.destination);
    const lasts = row < 0 ? 0.35 : 0.14;
    volume.gain.setValueAtTime(0.06, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + lasts);
    for (const pitch of pitches) {
      const oscillator = audio.createOscillator();
      oscillator.frequency.value = pitch;
      oscillator.connect(volume);
      oscillator.start();
      oscillator.stop(audio.currentTime + lasts);
    }
  } catch { /* A machine without sound. */ }
}

const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

/** Whether this browser can take down what is said. */
export const canListen = () => Boolean(Recognition);

/** Listens to one utterance; gives something with `stop()`. */
export function listen(language, heard, ended) {
  const ear = new Recognition();
  ear.lang = language || "en-US";
  ear.interimResults = false;
  ear.maxAlternatives = 1;
  ear.addEventListener("result", (event) => {
    const best = event.results[0][0];
    heard(best.transcript, Math.min(1, Math.max(0, best.confidence || 0.9)));
  });
  ear.addEventListener("end", ended);
  ear.addEventListener("error", ended);
  ear.start();
  return ear;
}
