import './tokens.css'
import './base.css'

import { mount } from 'svelte'
import App from './App.svelte'
import { connect } from './bridge/bridge'

const target = document.getElementById('app')
if (target) mount(App, { target, props: { bridge: await connect() } })
