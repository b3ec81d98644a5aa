import { state } from './state.js';

export const write = (level, message) => void state.logged.push({ level, message });
