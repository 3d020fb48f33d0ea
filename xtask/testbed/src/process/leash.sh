# Runs a server on a leash: starts the command, says its process id on standard output, and stops it
# when standard input ends. The other end of that pipe is held by the process that wants the server,
# so it ends when that process lets go and also when that process is killed.
#
# usage: sh -c '<this>' sh SIGNAL GRACE COMMAND [ARGUMENT...]
#   SIGNAL  what asks the command to stop, such as TERM
#   GRACE   how many tenths of a second it gets before SIGKILL
# Standard error is the log file of the command.
signal=$1
grace=$2
shift 2

# A background command gets /dev/null as standard input unless told otherwise, so the pipe is kept
# aside for the watcher; the command must not inherit it.
exec 3<&0 </dev/null
"$@" >&2 3<&- &
command=$!
echo "$command"
exec >&2

(
    while read -r _ <&3; do :; done
    kill -s "$signal" "$command"
    # A stopped process takes no notice of a signal until it goes on.
    kill -s CONT "$command"
    waited=0
    while [ "$waited" -lt "$grace" ] && kill -0 "$command"; do
        sleep 0.1
        waited=$((waited + 1))
    done
    kill -0 "$command" && kill -s KILL "$command"
) 2>/dev/null &
watcher=$!
exec 3<&-

wait "$command"
status=$?
kill -s KILL "$watcher" 2>/dev/null
exit "$status"
