using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace Lintel;

/// <summary>The rules of the code base that a compiler does not check.</summary>
public sealed class ArchitectureTests
{
    private const string Features = "Lintel.Features.";
    private const string Platform = "Lintel.Platform";
    private const int LongestFile = 400;

    private static readonly string[] VagueEndings = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities"];

    /// <summary>
    /// Which feature may use which others. Platform may use no feature, and every feature may use Platform.
    /// Add an edge on purpose, and never one that closes a circle.
    /// </summary>
    private static readonly Dictionary<string, string[]> MayUse = new(StringComparer.Ordinal)
    {
        ["Accounts"] = ["Mail", "Streams"],
        ["Administration"] = ["Accounts", "ApiKeys"],
        ["ApiKeys"] = ["Accounts"],
        ["Beams"] = ["Files", "Jobs", "Streams"],
        ["Chat"] = ["Jobs", "Streams"],
        ["Execution"] = ["Jobs", "Streams"],
        ["Files"] = [],
        ["Jobs"] = ["Streams"],
        ["Mail"] = ["Jobs"],
        ["Notifications"] = ["Streams"],
        ["Streams"] = [],
        ["Tasks"] = ["Mail", "Notifications", "Webhooks"],
        ["Webhooks"] = ["Jobs", "Notifications"],
    };

    private static readonly Assembly Server = Assembly.Load("Lintel.Server");

    private static readonly Type[] ServerTypes =
        [.. Server.GetTypes().Where(type => type.Namespace?.StartsWith("Lintel", StringComparison.Ordinal) == true)];

    private static readonly HashSet<Type> JsonTypes =
    [
        .. from context in ServerTypes
           where context.IsSubclassOf(typeof(JsonSerializerContext))
           from attribute in context.GetCustomAttributesData()
           where attribute.AttributeType == typeof(JsonSerializableAttribute)
           select (Type)attribute.ConstructorArguments[0].Value!,
    ];

    [Fact]
    public void Features_use_only_what_the_table_allows()
    {
        var breaches =
            from type in ServerTypes
            let user = FeatureOf(type)
            where user is not null
            from mentioned in TypeReferences.Of(type)
            let used = FeatureOf(mentioned)
            where used is not null && used != user && !MayUse.GetValueOrDefault(user, []).Contains(used)
            select $"{type} uses {mentioned}";

        AssertNone(breaches);
    }

    [Fact]
    public void The_platform_knows_no_feature()
    {
        var breaches =
            from type in ServerTypes
            where IsPlatform(type)
            from mentioned in TypeReferences.Of(type)
            where FeatureOf(mentioned) is not null
            select $"{type} uses {mentioned}";

        AssertNone(breaches);
    }

    [Fact]
    public void Every_feature_has_its_row_in_the_table()
    {
        var features = ServerTypes.Select(FeatureOf).OfType<string>().Distinct().Order(StringComparer.Ordinal);

        AssertNone(features.Except(MayUse.Keys));
    }

    [Fact]
    public void The_table_has_no_circle()
    {
        foreach (var feature in MayUse.Keys)
        {
            Assert.DoesNotContain(feature, Reachable(feature));
        }
    }

    [Fact]
    public void References_are_found_in_signatures_and_inside_methods()
    {
        var found = TypeReferences.Of(typeof(Specimen)).ToArray();

        Assert.Contains(typeof(Uri), found);                 // in a field, as a type argument
        Assert.Contains(typeof(Version), found);             // returned
        Assert.Contains(typeof(Random), found);              // only called
        Assert.Contains(typeof(UriBuilder), found);          // only made, in a method without a local for it
        Assert.Contains(typeof(ObsoleteAttribute), found);   // on a method
        Assert.DoesNotContain(typeof(Stack<>), found);
    }

    [Fact]
    public void Contracts_of_endpoints_are_public()
    {
        var hidden =
            from endpoints in ServerTypes
            where endpoints.Name.EndsWith("Endpoints", StringComparison.Ordinal)
            from handler in endpoints.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly)
            where !handler.IsDefined(typeof(CompilerGeneratedAttribute))
            from contract in Contracts(handler)
            where !contract.IsVisible
            select $"{contract} in {endpoints.Name}.{handler.Name}";

        AssertNone(hidden);
    }

    [Fact]
    public void No_type_is_named_for_what_anything_could_be()
    {
        var vague = ServerTypes.Concat(typeof(Is456.Beam).Assembly.GetTypes())
            .Where(type => VagueEndings.Any(ending => type.Name.Split('`')[0].EndsWith(ending, StringComparison.Ordinal)))
            .Select(type => type.FullName);

        AssertNone(vague);
    }

    [Fact]
    public void Namespaces_follow_folders()
    {
        var wrong =
            from file in Repository.SourceFiles()
            let declared = DeclaredNamespace(file)
            where declared is not null && !NamespacesFor(file).Contains(declared)
            select $"{file} declares {declared}";

        AssertNone(wrong);
    }

    [Fact]
    public void Only_programs_and_assembly_attributes_live_outside_a_namespace()
    {
        var homeless = Repository.SourceFiles()
            .Where(file => Path.GetFileName(file) is not ("Program.cs" or "AssemblyInfo.cs" or "GlobalUsings.cs"))
            .Where(file => DeclaredNamespace(file) is null);

        AssertNone(homeless);
    }

    [Fact]
    public void Files_are_short_enough_to_read()
    {
        var tooLong = Repository.SourceFiles()
            .Select(file => (file, lines: File.ReadLines(Path.Combine(Repository.Root, file)).Count()))
            .Where(entry => entry.lines > LongestFile)
            .Select(entry => $"{entry.file} has {entry.lines} lines");

        AssertNone(tooLong);
    }

    /// <summary>As <c>Assert.Empty</c>, and names every offender in full.</summary>
    private static void AssertNone(IEnumerable<string?> offenders)
    {
        var found = string.Join(Environment.NewLine, offenders);
        Assert.True(found.Length == 0, found);
    }

    private static string? FeatureOf(Type type) =>
        type.Namespace is { } name && name.StartsWith(Features, StringComparison.Ordinal) ? name[Features.Length..].Split('.')[0] : null;

    private static bool IsPlatform(Type type) =>
        type.Namespace == Platform || type.Namespace?.StartsWith(Platform + ".", StringComparison.Ordinal) == true;

    private static HashSet<string> Reachable(string feature)
    {
        HashSet<string> reached = new(StringComparer.Ordinal);
        Stack<string> open = new(MayUse[feature]);

        while (open.TryPop(out var next))
        {
            if (reached.Add(next))
            {
                foreach (var further in MayUse[next])
                {
                    open.Push(further);
                }
            }
        }

        return reached;
    }

    /// <summary>What a handler reads from a body, which is what a JSON context knows, and the contents of the results it returns.</summary>
    private static IEnumerable<Type> Contracts(MethodInfo handler)
    {
        var read = handler.GetParameters().Select(parameter => parameter.ParameterType).Where(JsonTypes.Contains);
        return read.Concat(ResultContents(handler.ReturnType)).Where(type => ServerTypes.Contains(type));
    }

    private static IEnumerable<Type> ResultContents(Type type)
    {
        if (!type.IsGenericType)
        {
            return [];
        }

        var isResult = type.Namespace == "Microsoft.AspNetCore.Http.HttpResults" && !type.Name.StartsWith("Results`", StringComparison.Ordinal);
        return type.GetGenericArguments().SelectMany(argument => isResult ? [argument] : ResultContents(argument));
    }

    /// <summary>Tests stand in the namespace of what they test, so that they see it, or in their project's own.</summary>
    private static IEnumerable<string> NamespacesFor(string file)
    {
        var folders = Path.GetDirectoryName(file)!.Split('/')[1..];
        var project = folders[0].Replace("Lintel.Server", "Lintel", StringComparison.Ordinal);
        return new[] { project, project.Replace(".Tests", "", StringComparison.Ordinal) }
            .Select(root => string.Join('.', folders[1..].Prepend(root)));
    }

    private static string? DeclaredNamespace(string file)
    {
        const string keyword = "namespace ";
        var line = File.ReadLines(Path.Combine(Repository.Root, file)).FirstOrDefault(line => line.StartsWith(keyword, StringComparison.Ordinal));
        return line?[keyword.Length..].TrimEnd(';', ' ');
    }

    /// <summary>Mentions types in each way that the rules must see.</summary>
    private sealed class Specimen
    {
        private readonly List<Uri[]> _places = [];

        [Obsolete("Only so that an attribute is there to be found.")]
        public static int Call() => Random.Shared.Next();

        public Version Returned() => new(_places.Count, 0);

        public override string ToString() => new UriBuilder("http", "localhost").ToString();
    }
}
