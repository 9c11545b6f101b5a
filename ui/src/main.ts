import './tokens.css'
import './base.css'

import { mount } from 'svelte'
import App from './App.svelte'
import { connect } from './bridge/bridge'

// Asked for before anything is laid out: whatever is laid out without it has other fonts looked for, in every font of the
// computer, and is laid out once more.
void document.fonts.load('1em "Inter Variable"')

const target = document.getElementById('app')
if (target) mount(App, { target, props: { bridge: await connect() } })
