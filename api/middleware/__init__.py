"""What every request passes before its route, the outermost first: `envelope`, `gate`, `body`."""
