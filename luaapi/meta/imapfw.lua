---@meta imapfw.api
-- Annotations for `require "imapfw.api"`. Generated from the declarations of the api: do not edit.

---@alias imapfw.Size integer|string  octets, or "200k", "20M", "1G"
---@alias imapfw.Age number|string  seconds, or "30s", "15m", "2h", "30d", "8w", "2y"
---@alias imapfw.PlanOp "pull"|"push"|"flags"|"move"|"delete"|"create"|"remove"|"rename"
---@alias imapfw.Keys (integer|string)[]  UIDs, or names of files

---@class imapfw.RenamePair
---@field to_near fun(name: string): string far name to near name
---@field to_far fun(name: string): string near name to far name

---@class imapfw.TrashOptions
---@field far? string far name of the folder on the far side
---@field near? string near name of the folder on the near side
---@field new_only? "none"|"far"|"near"|"both" default "none"; where only messages are kept that the other side never had
---@field from_other? "none"|"far"|"near"|"both" default "none"; whose trash also takes the messages that are removed on the other side before they were copied

---@class imapfw.GuardOptions
---@field max? integer default 100; removals in a folder and side that are too many when they exceed share too
---@field share? number default 0.5; of what the folder holds
---@field hard? integer default 1000; removals in a folder and side that are too many in any case
---@field account? integer default 2000; removals in the whole account that are too many
---@field new? integer default 100; uploads that are too many when there is no state and both sides hold mail

---@class imapfw.UndoOptions
---@field days? integer default 7; how long
---@field size? imapfw.Size default 1073741824; how much; the oldest go first
---@field path? string default below the state; the folder it is kept in

---@class imapfw.AccountOptions
---@field folders? string[]|fun(folder: imapfw.Folder): boolean patterns of far names (* % ! and \Attributes, the last match wins), or a function
---@field name? string default the file's name; unique in the app; names the state
---@field far imapfw.Store the reference, a server as a rule
---@field near imapfw.Store the copy
---@field rename? imapfw.Rename[]|imapfw.RenamePair how far folder names become near ones, and back
---@field state? string default $XDG_STATE_HOME/imapfw/NAME; folder of what is remembered between two runs
---@field pull? "all"|"none"|("new"|"upgrade"|"flags"|"delete")[] default "all"; what is carried from far to near
---@field push? "all"|"none"|("new"|"upgrade"|"flags"|"delete")[] default "all"; what is carried from near to far
---@field mirror? "pull"|"push" one way only, and changes made on the target are undone
---@field expunge? "none"|"far"|"near"|"both" default "both"; where a removed message is removed for good instead of marked
---@field create? "none"|"far"|"near"|"both" default "both"; where folders are created that are missing there
---@field remove? "none"|"far"|"near"|"both" default "none"; where folders are removed that were removed on the other side
---@field subscribe? "none"|"far"|"near"|"both" default "both"; where created folders are subscribed
---@field trash? imapfw.TrashOptions where messages go before they are removed for good
---@field messages? imapfw.Predicate default all; which far messages are kept near; one that does not match any more is removed near only, and never for that while it is flagged or unread unless the predicate says so
---@field max_size? imapfw.Size default off; larger messages are kept near as a placeholder until they are flagged
---@field max_messages? integer default 0; how many messages of a folder are kept near, the newest; 0 is all
---@field expire_unread? boolean default false; whether max_messages also counts out unread messages
---@field conflict? "remove"|"keep"|"far"|"near" default "remove"; what wins when a message was removed on one side and its flags changed on the other
---@field flags? table<string, "merge"|"far"|"near"|"union"> default "merge" for all; which side decides about a flag or keyword, { ["\\Seen"] = "union" }: the one that changed it (merge), always far or near, or either one that has it (union)
---@field guard? false|imapfw.GuardOptions default on; how much a run may remove before it stops with exit code 5; false never stops
---@field copy_date? boolean default true; carry the arrival date
---@field undo? false|imapfw.UndoOptions default on; how long what a run destroys is kept for imapfw undo; false keeps nothing

---@class imapfw.AppOptions
---@field name? string default the file's name; of the app
---@field accounts? imapfw.Account[] what is kept in step
---@field groups? table<string, string[]> names for several accounts: { home = { "me", "us" } }
---@field jobs? integer default 4; how many accounts are worked on at once
---@field needs? string[] the powers that the app uses: "net", "exec", ...
---@field on_exit? fun(exit: imapfw.Exit): "stop"|"restart"|"go"|nil decides what happens when a worker ended; nil leaves it to the master
---@field main? fun(ctx: imapfw.Context): integer? runs once, in the main worker

---@class imapfw.TlsOptions
---@field mode? "implicit"|"starttls"|"none" default "implicit"; how the connection is encrypted
---@field ca_file? string PEM file of authorities to trust
---@field system_ca? boolean default true; trust the authorities of the system too
---@field fingerprint? string SHA-256 digest of the server's certificate, which then alone decides
---@field cert? string PEM file of the client's certificate
---@field key? string PEM file of its key
---@field min? "1.0"|"1.1"|"1.2"|"1.3" default "1.2"; the lowest version of TLS
---@field server_name? string the name the certificate must be for, where it is not host

---@class imapfw.ImapOptions
---@field host string name or address of the server
---@field port? integer default 993, or 143 with tls = "starttls" or "none"; of the server
---@field user string who signs in
---@field tls? "implicit"|"starttls"|"none"|imapfw.TlsOptions default "implicit"; how the connection is encrypted
---@field insecure? boolean default false; allow tls = "none" to a host that is not this machine: everybody on the way can read the password
---@field password? string|imapfw.Secret the password, or better where it comes from
---@field password_command? string a command whose first line of output is the password; the same as api.secret.command
---@field authzid? string whom to act as, where it is not user
---@field auth? ("PLAIN"|"LOGIN"|"LOGIN-COMMAND")[] the ways to sign in that may be used, the best first; all of them by default
---@field timeout? imapfw.Age default "30s"; how long a command may go without progress
---@field connections? integer default 3; how many connections there are at most
---@field compress? "auto"|boolean default "auto"; compress what goes over the line (COMPRESS=DEFLATE): "auto" does where the round trip and the rate say that it saves time, never on this machine
---@field without? string[] capabilities of the server that are not to be used
---@field namespace? string prefix of the personal namespace; the server is asked by default
---@field path? string the folder below which all folders but the inbox lie
---@field separator? string between the levels of folder names, when the server tells a wrong one
---@field subscribed_only? boolean default false; leave out folders without subscription
---@field retries? integer default 3; how often a request is tried again that failed for a reason that may pass: half a second later, then twice as long each time, or when the server asks for it
---@field max_append? imapfw.Size size of the largest message to deliver; what the server says holds too

---@class imapfw.MaildirOptions
---@field path string the folder that holds the Maildirs; it is made when missing
---@field inbox? string default path .. "/INBOX"; the Maildir of the inbox
---@field subfolders? "verbatim"|"maildir++"|"legacy" default "verbatim"; how levels of folders lie on disk: a/b, .a.b or a/.b
---@field separator? string stands for "/" in directory names, so that all folders lie side by side
---@field encoding? "utf8"|"utf7" default "utf8"; of folder names on disk
---@field keywords? boolean|table<string, string> default true; keep keywords as letters: true, a table letter = keyword, or false
---@field fsync? boolean default true; make messages durable before the state knows them
---@field info_separator? string default ":"; between name and flags of a file

---@class imapfw.MemoryOptions
---@field name? string default that of its repository; which one; stores of one name in one process are the same
---@field like? "imap"|"maildir" default "imap"; what it behaves like
---@field folders? table<string, string[]> what it holds when it is first opened: messages by folder

---@class imapfw.StateOptions
---@field path? string the database, or the folder it is in when that does not end with ".db"
---@field memory? boolean default false; remember nothing beyond this run: for tests and demonstrations

---@class imapfw.RepositoryManagerOptions
---@field name string unique in the run
---@field class? imapfw.Repository who answers the engines; by default what the endpoint is for
---@field endpoint imapfw.Store where the mail is, or the state
---@field controllers? imapfw.Controller[] what stands between the repository and its driver, the outermost first
---@field backend? "goroutine"|"process"|"inline" default "goroutine"; where the worker runs: in this process, in a child process, or in whoever calls it
---@field max_endpoints? integer default 1; how many endpoints there may be at most

---@class imapfw.EngineManagerOptions
---@field name string unique in the run
---@field folders? string[] patterns of names (* % ! and \Attributes, the last match wins)
---@field class? imapfw.SyncEngine who plans and decides; api.SyncEngine by default
---@field backend? "goroutine"|"process"|"inline" default "goroutine"; where the worker runs: in this process, in a child process, or in whoever calls it
---@field far imapfw.Manager the reference
---@field near imapfw.Manager the copy
---@field state imapfw.Manager what is remembered between two runs
---@field pull? "all"|"none"|("new"|"upgrade"|"flags"|"delete")[] default "all"; what is carried from far to near
---@field push? "all"|"none"|("new"|"upgrade"|"flags"|"delete")[] default "all"; what is carried from near to far
---@field mirror? "pull"|"push" one way only, and changes made on the target are undone
---@field expunge? "none"|"far"|"near"|"both" default "both"; where a removed message is removed for good instead of marked
---@field create? "none"|"far"|"near"|"both" default "both"; where folders are created that are missing there
---@field remove? "none"|"far"|"near"|"both" default "none"; where folders are removed that were removed on the other side
---@field subscribe? "none"|"far"|"near"|"both" default "both"; where created folders are subscribed
---@field trash? imapfw.TrashOptions where messages go before they are removed for good
---@field messages? imapfw.Predicate default all; which far messages are kept near; one that does not match any more is removed near only, and never for that while it is flagged or unread unless the predicate says so
---@field max_size? imapfw.Size default off; larger messages are kept near as a placeholder until they are flagged
---@field max_messages? integer default 0; how many messages of a folder are kept near, the newest; 0 is all
---@field expire_unread? boolean default false; whether max_messages also counts out unread messages
---@field conflict? "remove"|"keep"|"far"|"near" default "remove"; what wins when a message was removed on one side and its flags changed on the other
---@field flags? table<string, "merge"|"far"|"near"|"union"> default "merge" for all; which side decides about a flag or keyword, { ["\\Seen"] = "union" }: the one that changed it (merge), always far or near, or either one that has it (union)
---@field guard? false|imapfw.GuardOptions default on; how much a run may remove before it stops with exit code 5; false never stops
---@field copy_date? boolean default true; carry the arrival date
---@field undo? false|imapfw.UndoOptions default on; how long what a run destroys is kept for imapfw undo; false keeps nothing

---@class imapfw.LoggerManagerOptions
---@field name? string default "log"; unique in the run
---@field level? "debug"|"info"|"warn"|"error" default "info"; the lowest level that is written
---@field file? string the file it is appended to
---@field format? "text"|"json" default "text"; how lines are written
---@field class? imapfw.Logger who writes

---@class imapfw.WorkerManagerOptions
---@field name string unique in the run
---@field class imapfw.Worker your class
---@field backend? "goroutine"|"process"|"inline" default "goroutine"; where the worker runs: in this process, in a child process, or in whoever calls it
---@field channels? table<string, imapfw.Manager> whom it may call, by its own names for them
---@field opts? any plain data for its init

---@class imapfw.TraceOptions
---@field level? "debug"|"info" default "debug"; of the log

---@class imapfw.ThrottleOptions
---@field octets? imapfw.Size of content, per second
---@field calls? number requests per second

---@class imapfw.RetryOptions
---@field tries? integer default 3; how often in all
---@field wait? imapfw.Age default "1s"; before the second try; then twice as long each time
---@field most? imapfw.Age default "30s"; the longest wait

---@class imapfw.Mishap
---@field op? string which requests: "folders", "changes", "bodies", "deliver", ...; all without it
---@field folder? string of which folder
---@field key? string of which message
---@field skip? integer default 0; how many go well first
---@field times? integer default 0; how many are hit; 0 is all
---@field delay? imapfw.Age waited first
---@field code? string of the error; none without it
---@field text? string of the error
---@field temporary? boolean default false; whether the error is
---@field after? boolean default false; the request is done, and its answer lost
---@field cut? imapfw.Size how much of the content goes by first

---A definition of a place of mail.
---@class imapfw.Store

---A definition of an account. A file that returns it is an app.
---@class imapfw.Account

---A definition of an app. A file returns it.
---@class imapfw.App
---@field main fun(ctx: imapfw.Context): integer? runs once, in the main worker
---@field on_exit fun(exit: imapfw.Exit): "stop"|"restart"|"go"|nil decides about a worker that failed

---One step from the far name of a folder to its near name, and back.
---@class imapfw.Rename

---A worker that failed.
---@class imapfw.Exit
---@field worker string its name
---@field error imapfw.Error why

---Where a password comes from. It is found out in the worker that signs in, and is never shown.
---@class imapfw.Secret

---A regular expression in the syntax of Go.
---@class imapfw.Regex

---What is said about a message. a + b: either, a * b: both, a - b: a and not b, -a: not a.
---@class imapfw.Predicate
---@operator add(imapfw.Predicate): imapfw.Predicate
---@operator mul(imapfw.Predicate): imapfw.Predicate
---@operator sub(imapfw.Predicate): imapfw.Predicate
---@operator unm: imapfw.Predicate
---@operator call(imapfw.Message): boolean

---A message. What is not known of it yet is fetched when it is first used, for all the messages that were given together.
---@class imapfw.Message
---@field id string its key in the folder: a UID with ten digits, or the name of its file
---@field uid? integer its UID, where it has one
---@field folder string name of its folder
---@field size integer octets, as its store keeps it
---@field date integer when it arrived, as os.time() counts
---@field sent? integer the moment in its Date field
---@field from string the sender, decoded
---@field to string the To field, decoded
---@field cc string the Cc field, decoded
---@field subject string the subject, decoded
---@field list_id? string the List-Id field
---@field flags table<string, true> flags and keywords: flags["\\Seen"]
---@field captures string[] the groups of the regular expression that matched last
local Message = {}
---The first field of that name, decoded.
---@param name string
---@return string?
function Message:header(name) end
---Every field of that name, decoded.
---@param name string
---@return string[]
function Message:headers(name) end
---The readable text. It reads the whole message: slow.
---@return string
function Message:text() end
---The whole message as it is stored, 8 MiB at most. Slow.
---@return string
function Message:raw() end
---The copy gets a field more, at the end of its header.
---@param name string
---@param value string
function Message:add_header(name, value) end
---The copy has no field of that name.
---@param name string
function Message:remove_header(name) end

---A folder as its store lists it.
---@class imapfw.Folder
---@field name string its name, with "/" between the levels
---@field raw_name string its name as the store writes it
---@field attrs table<string, true> the attributes of LIST: attrs["\\All"]
---@field special_use? string what it is for: "\\Sent", "\\Trash", ...
---@field subscribed boolean whether it is subscribed
---@field count? integer number of messages, where the store tells

---What a run is about to do, before it does any of it.
---@class imapfw.Plan
local Plan = {}
---The steps, of which the given fields are equal.
---@param which? { op?: imapfw.PlanOp, folder?: string, side?: "far"|"near" }
---@return imapfw.Step[]
function Plan:steps(which) end
---Leaves a step or some of its messages alone in this run, and returns how many messages that were.
---@param step imapfw.Step
---@param keys? imapfw.Keys
---@param reason? string
---@return integer
function Plan:drop(step, keys, reason) end
---Leaves of a step that changes flags only some of them; a list that is not given stays as it is. Nothing else of a step can be altered.
---@param step imapfw.Step
---@param to { add?: string[], remove?: string[] }
---@param reason? string
function Plan:alter(step, to, reason) end
---How many messages the steps of an operation concern; all steps without one.
---@param op? imapfw.PlanOp
---@return integer
function Plan:total(op) end

---One operation of a plan on messages of one folder.
---@class imapfw.Step
---@field id integer its number in the plan
---@field op imapfw.PlanOp what it does
---@field folder string the folder's name, as both sides show it
---@field side string the side that is written: "far" or "near"
---@field keys imapfw.Keys the messages: UIDs or names of files; a new list each time
---@field count integer number of messages
---@field folder_count integer number of messages in the folder on the side the keys are of
---@field to string the other folder of op "move", the new name of op "rename"
---@field expiry boolean a removal near of messages that are not kept near any more; far keeps them
---@field form string what op "pull" delivers: "" the message, "placeholder", or "upgrade" the message in the place of its placeholder
---@field reason string why, where that is not obvious
---@field add string[] flags to add, of op "flags"
---@field remove string[] flags to remove, of op "flags"

---A folder as both sides have it.
---@class imapfw.FolderPair
---@field name string its name, as both sides show it
---@field far_count? integer messages far; nil where the folder is missing
---@field near_count? integer messages near; nil where the folder is missing
---@field attrs table<string, true> its attributes

---Why the guard is about to stop a run.
---@class imapfw.Alarm
---@field text string what it is about, in one line
---@field removals integer how many messages the plan removes, each counted once
---@field dangers { kind: string, folder: string, side: string, count: integer, of: integer, text: string }[] each limit that is exceeded; kinds are "removals", "emptied", "empty side", "account", "allowed", "uploads"

---A message that was removed on one side while its flags were changed on the other.
---@class imapfw.Conflict
---@field folder string the folder's name, as both sides show it
---@field removed_on string "far" or "near"
---@field id string the key on the side that kept it
---@field flags table<string, true> its flags there

---One transaction on one folder of the state.
---@class imapfw.StateChange
---@field forget boolean everything about the folder is forgotten first
---@field put table[] rows that are new or replaced
---@field drop integer[] ids of rows that are forgotten
---@field intended integer number of deliveries that are about to happen
---@field settled integer[] ids of deliveries that are resolved

---A declared worker. It does nothing before ctx:start.
---@class imapfw.Manager
---@field name string the worker's name
---@field kind string "repository", "state", "engine", "logger" or "worker"

---The run, as main sees it. It is the master of all workers.
---@class imapfw.Context
---@field dry_run boolean nothing is to be written
---@field jobs integer how many accounts may be worked on at once
local Context = {}
---What stands after the app on the command line.
---@return string[]
function Context:args() end
---The accounts of the app that were selected.
---@return imapfw.AccountRun[]
function Context:accounts() end
---An account that was selected.
---@param name string
---@return imapfw.AccountRun
function Context:account(name) end
---Starts workers, those that others call first. When one cannot start, those before it are stopped.
---@param managers imapfw.Manager[]
function Context:start(managers) end
---For the generic for: the failures of workers, as they come, until all engines are done. Who reads them decides: no failure ends the run by itself.
---@return fun(): imapfw.Error?
function Context:errors() end
---Stops everything; the error, where it is the first, is why.
---@param err? imapfw.Error
function Context:stop(err) end
---Stops a worker and starts it again.
---@param name string
function Context:restart(name) end
---Ends everything at once.
function Context:kill() end
---Waits until all engines are done, and returns the exit code.
---@param timeout? imapfw.Age
---@return integer
function Context:wait(timeout) end
---What an engine that has ended told about its run.
---@param engine string
---@return table?
function Context:report(engine) end
---Calls a worker and waits for its answer.
---@param worker string
---@param op string
---@param args? any
---@return any
function Context:call(worker, op, args) end

---An account of the app in this run.
---@class imapfw.AccountRun
---@field name string its name
local AccountRun = {}
---Syncs the account: at once, or when one of those before it is done. It does not wait.
function AccountRun:sync() end
---The managers of the account (far, near, state, sync), for ctx:start.
---@return imapfw.Manager[]
function AccountRun:managers() end

---A call that waits for its answer.
---@class imapfw.Request
---@field op string what is asked for
---@field args any with what
local Request = {}
---Answers the call.
---@param value? any
function Request:reply(value) end
---Answers the call with an error.
---@param err imapfw.Error|string
function Request:fail(err) end

---What pcall returns, and ctx:errors() gives.
---@class imapfw.Error
---@field code string its kind: "auth", "network", "refused", ...
---@field message string what happened
---@field temporary boolean trying again later may work
---@field final boolean this message will never be taken as it is
---@field op? string what was being done
---@field account? string in which account
---@field folder? string in which folder
---@field key? string with which message
---@field worker? string in which worker
---@field at? string file:line of the script
---@field hint? string what you can do
local Error = {}
---The same error, saying what the script was doing.
---@param doing string
---@return imapfw.Error
function Error:wrap(doing) end

---A place of mail.
---@class imapfw.Repository
---@field super any
---@overload fun(options?: table): imapfw.Repository
local Repository = {}
---Is called in the worker, before anything else.
---@param opts table
function Repository:init(opts) end
---Opens the store.
function Repository:connect() end
---What the store can do beyond reading and writing. What is left out is not used.
---@return string[]
function Repository:capabilities() end
---The folders. Those that are left out are hidden: neither synced nor taken for removed.
---@return imapfw.Folder[]
function Repository:list_folders() end
---Creates a folder.
---@param name string
function Repository:create_folder(name) end
---Removes an empty folder.
---@param name string
function Repository:delete_folder(name) end
---Gives a folder another name; those below it go along.
---@param name string
---@param to string
function Repository:rename_folder(name, to) end
---Is called once for up to 1,000 messages that are about to be copied, with what is known of them. Those that are left out are not copied.
---@param folder string
---@param uids imapfw.Keys
---@param what "full"
---@return imapfw.Message[]
function Repository:fetch(folder, uids, what) end
---The messages of a folder that a predicate selects. What their metas do not tell is fetched in batches.
---@param folder string
---@param predicate imapfw.Predicate
---@return imapfw.Keys
function Repository:search(folder, predicate) end
---Delivers a message. Edits of its header are applied while it is copied. Its key is known only after the batch.
---@param folder string
---@param msg imapfw.Message
function Repository:append(folder, msg) end
---Adds or removes flags.
---@param folder string
---@param uids imapfw.Keys
---@param op "add"|"remove"
---@param flags string[]
function Repository:store(folder, uids, op, flags) end
---Moves messages to another folder of the same store.
---@param folder string
---@param uids imapfw.Keys
---@param to string
function Repository:move(folder, uids, to) end
---Removes messages for good.
---@param folder string
---@param uids imapfw.Keys
function Repository:expunge(folder, uids) end
---Closes the store.
function Repository:stop() end
---A class of your own, at the top level only. Its name is how workers find it.
---@param name string
---@return any
function Repository:extend(name) end

---The mail of an IMAP account.
---@class imapfw.ImapRepository: imapfw.Repository
---@field super any
---@overload fun(options?: table): imapfw.ImapRepository

---A tree of Maildir folders.
---@class imapfw.MaildirRepository: imapfw.Repository
---@field super any
---@overload fun(options?: table): imapfw.MaildirRepository

---Mail in memory.
---@class imapfw.MemoryRepository: imapfw.Repository
---@field super any
---@overload fun(options?: table): imapfw.MemoryRepository

---What is remembered between two runs.
---@class imapfw.StateRepository
---@field super any
---@overload fun(options?: table): imapfw.StateRepository
local StateRepository = {}
---Is called in the worker, before anything else.
---@param opts table
function StateRepository:init(opts) end
---Takes the lock and opens the database.
function StateRepository:open() end
---The pairs of folders that are known.
---@return table[]
function StateRepository:folders() end
---The messages of a folder that are known, ordered by the key of one side.
---@param folder string
---@param by "far"|"near"
---@return table[]
function StateRepository:load(folder, by) end
---Records a change, all of it or nothing. An override must call it: what is not recorded is done again, or lost.
---@param folder string
---@param change imapfw.StateChange
function StateRepository:commit(folder, change) end
---Closes the database.
function StateRepository:stop() end
---A class of your own, at the top level only. Its name is how workers find it.
---@param name string
---@return any
function StateRepository:extend(name) end

---Sees every request between a repository and its driver. What it does not override goes on unchanged.
---@class imapfw.Controller
---@field super any
---@overload fun(options?: table): imapfw.Controller
local Controller = {}
---Is called in the worker, before anything else.
---@param opts table
function Controller:init(opts) end
---Opens the store.
function Controller:connect() end
---What the store can do beyond reading and writing. What is left out is not used.
---@return string[]
function Controller:capabilities() end
---The folders. Those that are left out are hidden: neither synced nor taken for removed.
---@return imapfw.Folder[]
function Controller:list_folders() end
---Creates a folder.
---@param name string
function Controller:create_folder(name) end
---Removes an empty folder.
---@param name string
function Controller:delete_folder(name) end
---Gives a folder another name; those below it go along.
---@param name string
---@param to string
function Controller:rename_folder(name, to) end
---Is called once for up to 1,000 messages that are about to be copied, with what is known of them. Those that are left out are not copied.
---@param folder string
---@param uids imapfw.Keys
---@param what "full"
---@return imapfw.Message[]
function Controller:fetch(folder, uids, what) end
---The messages of a folder that a predicate selects. What their metas do not tell is fetched in batches.
---@param folder string
---@param predicate imapfw.Predicate
---@return imapfw.Keys
function Controller:search(folder, predicate) end
---Delivers a message. Edits of its header are applied while it is copied. Its key is known only after the batch.
---@param folder string
---@param msg imapfw.Message
function Controller:append(folder, msg) end
---Adds or removes flags.
---@param folder string
---@param uids imapfw.Keys
---@param op "add"|"remove"
---@param flags string[]
function Controller:store(folder, uids, op, flags) end
---Moves messages to another folder of the same store.
---@param folder string
---@param uids imapfw.Keys
---@param to string
function Controller:move(folder, uids, to) end
---Removes messages for good.
---@param folder string
---@param uids imapfw.Keys
function Controller:expunge(folder, uids) end
---Closes the store.
function Controller:stop() end
---A class of your own, at the top level only. Its name is how workers find it.
---@param name string
---@return any
function Controller:extend(name) end

---Keeps two repositories in step.
---@class imapfw.SyncEngine
---@field super any
---@overload fun(options?: table): imapfw.SyncEngine
local SyncEngine = {}
---Is called in the worker, before anything else.
---@param opts table
function SyncEngine:init(opts) end
---The run begins.
function SyncEngine:on_start() end
---false and a reason leave a folder out of this run.
---@param pair imapfw.FolderPair
---@return boolean?
---@return string?
function SyncEngine:on_folder(pair) end
---Sees what the whole run is about to do, and may drop from it and alter it. false drops everything; an error stops the run before anything is written.
---@param plan imapfw.Plan
---@return imapfw.Plan|false|nil
function SyncEngine:on_plan(plan) end
---Is asked when the guard is about to stop the run. "go", with a reason, lets it go on; "stop" and nil do not.
---@param plan imapfw.Plan
---@param alarm imapfw.Alarm
---@return "stop"|"go"|nil
---@return string?
function SyncEngine:on_guard(plan, alarm) end
---Is asked about each new message before it is copied. "skip" or false, with a reason, leaves it out of this run.
---@param op "pull"|"push"
---@param msg imapfw.Message
---@return "skip"|false|nil
---@return string?
function SyncEngine:on_message(op, msg) end
---Settles a conflict; nil leaves it to the option `conflict`.
---@param conflict imapfw.Conflict
---@return "remove"|"keep"|"far"|"near"|nil
function SyncEngine:on_conflict(conflict) end
---Decides about the failure of a folder or message; nil tries again what may pass, three times in all, and skips the rest. "retry" has a folder read again also for other reasons; "skip" does without.
---@param err imapfw.Error
---@return "retry"|"skip"|"abort"|nil
function SyncEngine:on_error(err) end
---The run is over.
---@param report table
function SyncEngine:on_done(report) end
---A class of your own, at the top level only. Its name is how workers find it.
---@param name string
---@return any
function SyncEngine:extend(name) end

---Copies the far repository into a near one that is empty at first.
---@class imapfw.ConvertEngine: imapfw.SyncEngine
---@field super any
---@overload fun(options?: table): imapfw.ConvertEngine

---Writes the log.
---@class imapfw.Logger
---@field super any
---@overload fun(options?: table): imapfw.Logger
local Logger = {}
---Is called in the worker, before anything else.
---@param opts table
function Logger:init(opts) end
---Writes one record: a table with time, level, message and the attributes.
---@param record table
function Logger:write(record) end
---A class of your own, at the top level only. Its name is how workers find it.
---@param name string
---@return any
function Logger:extend(name) end

---A worker of your own.
---@class imapfw.Worker
---@field super any
---@overload fun(options?: table): imapfw.Worker
local Worker = {}
---Is called in the worker, before anything else.
---@param opts table
function Worker:init(opts) end
---The worker is about to take calls.
function Worker:on_start() end
---Answers one call.
---@param op string
---@param args any
---@return any
function Worker:handle(op, args) end
---A life of its own, instead of handle: the worker ends when it returns.
function Worker:run() end
---The worker is about to end.
function Worker:on_stop() end
---Waits for the next call; nil when the time is over or the worker is to end.
---@param timeout? imapfw.Age
---@return imapfw.Request?
function Worker:receive(timeout) end
---Calls the worker at the other end of a channel and waits for its answer.
---@param channel string
---@param op string
---@param args? any
---@return any
function Worker:call(channel, op, args) end
---Calls a worker without waiting for its answer. A failure is logged.
---@param channel string
---@param op string
---@param args? any
function Worker:send(channel, op, args) end
---Tells news to whoever listens in main.
---@param name string
---@param data? any
function Worker:emit(name, data) end
---A class of your own, at the top level only. Its name is how workers find it.
---@param name string
---@return any
function Worker:extend(name) end

---Gives folders other names: a list of api.rename steps.
---@class imapfw.NameTrans: imapfw.Controller
---@field super any
---@overload fun(renames: imapfw.Rename[]): imapfw.NameTrans

---Hides folders and messages: folder patterns and predicates, all of which must hold. What is hidden is not taken for removed.
---@class imapfw.Filter: imapfw.Controller
---@field super any
---@overload fun(what: (imapfw.Predicate|string)[]): imapfw.Filter

---Writes nothing.
---@class imapfw.DryRun: imapfw.Controller
---@field super any
---@overload fun(options?: {}): imapfw.DryRun

---Logs every request.
---@class imapfw.Trace: imapfw.Controller
---@field super any
---@overload fun(options?: imapfw.TraceOptions): imapfw.Trace

---Slows requests down.
---@class imapfw.Throttle: imapfw.Controller
---@field super any
---@overload fun(options: imapfw.ThrottleOptions): imapfw.Throttle

---Tries again what failed for the time being.
---@class imapfw.Retry: imapfw.Controller
---@field super any
---@overload fun(options?: imapfw.RetryOptions): imapfw.Retry

---Makes requests fail, for tests.
---@class imapfw.Fake: imapfw.Controller
---@field super any
---@overload fun(script: imapfw.Mishap[]): imapfw.Fake

---@class imapfw.Match
---@field all imapfw.Predicate Every message.
---@field seen imapfw.Predicate It was read.
---@field flagged imapfw.Predicate It is flagged.
---@field answered imapfw.Predicate It was answered.
---@field draft imapfw.Predicate It is a draft.
---@field deleted imapfw.Predicate It is marked deleted.
---@field reply imapfw.Predicate It answers another message.
---@field auto imapfw.Predicate A machine sent it.
local match = {}

local rename = {}
local secret = {}
local log = {}

---@class imapfw.Api
---@field Repository imapfw.Repository
---@field ImapRepository imapfw.ImapRepository
---@field MaildirRepository imapfw.MaildirRepository
---@field MemoryRepository imapfw.MemoryRepository
---@field StateRepository imapfw.StateRepository
---@field Controller imapfw.Controller
---@field SyncEngine imapfw.SyncEngine
---@field ConvertEngine imapfw.ConvertEngine
---@field Logger imapfw.Logger
---@field Worker imapfw.Worker
---@field NameTrans imapfw.NameTrans
---@field Filter imapfw.Filter
---@field DryRun imapfw.DryRun
---@field Trace imapfw.Trace
---@field Throttle imapfw.Throttle
---@field Retry imapfw.Retry
---@field Fake imapfw.Fake
local api = {}
---Two stores that are kept in step. A file that returns it is an app.
---@param options imapfw.AccountOptions
---@return imapfw.Account
function api.account(options) end
---Several accounts, or a main function of your own.
---@param options imapfw.AppOptions
---@return imapfw.App
function api.app(options) end
---A mailbox on an IMAP server.
---@param options imapfw.ImapOptions
---@return imapfw.Store
function api.imap(options) end
---A tree of Maildir folders.
---@param options imapfw.MaildirOptions
---@return imapfw.Store
function api.maildir(options) end
---Mail that is kept in memory and is gone afterwards: for tests and demonstrations.
---@param options imapfw.MemoryOptions
---@return imapfw.Store
function api.memory(options) end
---Far names lose a prefix: "[Gmail]/Sent" becomes "Sent".
---@param prefix string
---@return imapfw.Rename
function rename.strip_prefix(prefix) end
---Near names get a prefix.
---@param prefix string
---@return imapfw.Rename
function rename.add_prefix(prefix) end
---Near names by far name; other names stay. In place of a far name, a special use ("\\Sent", "\\Trash", "\\Junk", "\\Archive", "\\Drafts") stands for the folder that the server marks with it, whatever it is called; where it marks none, one is created under the near name.
---@param names table<string, string>
---@return imapfw.Rename
function rename.map(names) end
---Another separator stands for "/" in near names.
---@param separator string
---@return imapfw.Rename
function rename.flatten(separator) end
---Near names are in lower case.
---@return imapfw.Rename
function rename.lower() end
---Two functions, each the inverse of the other.
---@param functions imapfw.RenamePair
---@return imapfw.Rename
function rename.pair(functions) end
---The sender, decoded: a substring without regard to case, or api.re.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.from(text) end
---The To field.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.to(text) end
---The Cc field.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.cc(text) end
---The Bcc field.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.bcc(text) end
---The subject, decoded.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.subject(text) end
---The List-Id field.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.list(text) end
---Any field of the header; without a text: the field is there.
---@param name string
---@param text? string|imapfw.Regex
---@return imapfw.Predicate
function match.header(name, text) end
---The readable text. The whole message is read for it: slow.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.body(text) end
---The header or the readable text. Slow.
---@param text string|imapfw.Regex
---@return imapfw.Predicate
function match.text(text) end
---It has an attachment; with a kind, one whose name ends so: "pdf". Slow.
---@param kind? string
---@return imapfw.Predicate
function match.has_attachment(kind) end
---The folder's name, by a pattern with * and %.
---@param pattern string
---@return imapfw.Predicate
function match.folder(pattern) end
---A keyword.
---@param name string
---@return imapfw.Predicate
function match.keyword(name) end
---Larger than a size.
---@param size imapfw.Size
---@return imapfw.Predicate
function match.larger(size) end
---Smaller than a size.
---@param size imapfw.Size
---@return imapfw.Predicate
function match.smaller(size) end
---Arrived longer ago.
---@param age imapfw.Age
---@return imapfw.Predicate
function match.older(age) end
---Arrived at most so long ago.
---@param age imapfw.Age
---@return imapfw.Predicate
function match.newer(age) end
---The Date field is before a day, "2026-11-02".
---@param date string
---@return imapfw.Predicate
function match.sent_before(date) end
---What a function says. It is called once for each message: the others cost less.
---@param fn fun(msg: imapfw.Message): boolean
---@param string?
---@return imapfw.Predicate
function match.fn(fn, string) end
---A regular expression, in the syntax of Go (RE2), for the predicates about text.
---@param pattern string
---@return imapfw.Regex
function api.re(pattern) end
---The first line that a command prints. It runs once per run, by sh -c.
---@param command string
---@return imapfw.Secret
function secret.command(command) end
---The first line of a file that only its owner can read.
---@param path string
---@return imapfw.Secret
function secret.file(path) end
---An environment variable.
---@param name string
---@return imapfw.Secret
function secret.env(name) end
---The password of a host in ~/.netrc.
---@param host string
---@return imapfw.Secret
function secret.netrc(host) end
---Asks on the terminal, once per run.
---@param text string
---@return imapfw.Secret
function secret.prompt(text) end
---The password of a user in the keyring of the desktop: of the Secret Service by secret-tool, of macOS by security.
---@param service string
---@param user string
---@return imapfw.Secret
function secret.keyring(service, user) end
---Octets of a size such as "20M".
---@param size imapfw.Size
---@return integer
function api.size(size) end
---Seconds of an age such as "30d".
---@param age imapfw.Age
---@return number
function api.age(age) end
---The lines of a text file, without empty ones and those that begin with "#".
---@param path string
---@return string[]
function api.lines(path) end
---An error for error() to raise: where it is caught its fields are there.
---@param fields { code?: string, message: string, temporary?: boolean, final?: boolean, hint?: string }
---@return imapfw.Error
function api.error(fields) end
---Writes to the log; format is that of string.format.
---@param format string
---@param ... any
function log.debug(format, ...) end
---Writes to the log; format is that of string.format.
---@param format string
---@param ... any
function log.info(format, ...) end
---Writes to the log; format is that of string.format.
---@param format string
---@param ... any
function log.warn(format, ...) end
---Writes to the log; format is that of string.format.
---@param format string
---@param ... any
function log.error(format, ...) end
---Tells the user something: in the log, where there is nothing better.
---@param title string
---@param text? string
function api.notify(title, text) end
---Declares a repository and its endpoints, or the state.
---@param options imapfw.RepositoryManagerOptions
---@return imapfw.Manager
function api.RepositoryManager(options) end
---Declares an engine between two repositories.
---@param options imapfw.EngineManagerOptions
---@return imapfw.Manager
function api.EngineManager(options) end
---Declares a place the log goes to.
---@param options imapfw.LoggerManagerOptions
---@return imapfw.Manager
function api.LoggerManager(options) end
---Declares a worker of your own class.
---@param options imapfw.WorkerManagerOptions
---@return imapfw.Manager
function api.WorkerManager(options) end
---A mailbox on an IMAP server.
---@param options imapfw.ImapOptions
---@return imapfw.Store
function api.ImapEndpoint(options) end
---A tree of Maildir folders.
---@param options imapfw.MaildirOptions
---@return imapfw.Store
function api.MaildirEndpoint(options) end
---Mail that is kept in memory and is gone afterwards: for tests and demonstrations.
---@param options imapfw.MemoryOptions
---@return imapfw.Store
function api.MemoryEndpoint(options) end
---The database of what is remembered between two runs.
---@param options imapfw.StateOptions
---@return imapfw.Store
function api.StateEndpoint(options) end
api.log = log
api.match = match
api.rename = rename
api.secret = secret
return api
