using System.Globalization;
using System.Text;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// A shell beside the server that knows which sandboxes there are, and ends them when the server dies without a chance to do so itself.
/// bubblewrap's <c>--die-with-parent</c> alone leaves a gap: the sandbox's first process asks for that signal only when all is made, so that a server
/// which was killed while it started programs left sandboxes behind that waited for ever.
/// </summary>
internal sealed class OrphanGuard : IDisposable
{
    // Adds and strikes out what it is told, line by line. The end of its input is the end of the server, in good order or not;
    // only then does it kill, so a number is never another process's by then. What a terminal or a service manager sends to all is for the server.
    private const string Script = """
        trap '' HUP INT QUIT TERM
        all=' '
        while read -r sign id; do
          case $sign in
            +) all="$all$id " ;;
            -) case $all in *" $id "*) all="${all%%" $id "*} ${all#*" $id "}" ;; esac ;;
          esac
        done
        for id in $all; do kill -s KILL -- "$id" 2>/dev/null; done
        """;

    private readonly Descriptor _pipe;
    private readonly int _pid;

    /// <summary>Starts it. Never from within a guest's identity: it must be allowed to signal guests.</summary>
    public OrphanGuard()
    {
        var (read, write) = Descriptor.Pipe();

        using (read)
        using (var nowhere = Descriptor.Nowhere())
        using (var spawn = new Spawn(["/bin/sh", "-c", Script], [read, nowhere, nowhere], []))
        {
            _pid = spawn.Start();
        }

        // One that is held up must not hold up the server.
        write.SetNonBlocking();
        _pipe = write;
    }

    /// <summary>From now on this process, or group when negative, does not outlive the server.</summary>
    public void Add(int id) => Tell('+', id);

    /// <summary>It has ended, and its number may become another's.</summary>
    public void Remove(int id) => Tell('-', id);

    public unsafe void Dispose()
    {
        int status;
        _pipe.Dispose();
        _ = Libc.waitpid(_pid, &status, 0);
    }

    // Without a guard, because somebody killed it, die-with-parent is what there is.
    private void Tell(char sign, int id) => _ = _pipe.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{sign} {id}\n")));
}
