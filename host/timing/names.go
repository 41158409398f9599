package timing

// What stores record of themselves.
const (
	Connect = "connect and sign in"
	Sync    = "make durable"
)

// What the command and the master record.
const (
	Load  = "load the app"
	Start = "start workers"
	Stop  = "stop workers"
)
