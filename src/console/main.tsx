import { render } from 'preact';
import { App } from './app.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/tables.css';
import { followTheme } from './shell/theme.js';

const root = document.getElementById('console');
if (root === null) throw new Error('index.html has no place for the console');
followTheme();
render(<App />, root);
