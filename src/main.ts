#!/usr/bin/env node
import './runtime.js';
import { serve } from './cli/serve.js';

await serve(process.env);
