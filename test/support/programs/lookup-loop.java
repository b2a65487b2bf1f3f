/*
 * Looks up each name that comes on a line of standard input with the JDK, one after another in one process; prints what
 * lookup-loop.c prints. InetAddress by default (its caches are to be turned off by the caller); with the argument `jndi`
 * the JDK's own DNS client, which knows no search list and so takes each name as absolute.
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import javax.naming.Context;
import javax.naming.NameNotFoundException;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;

class LookupLoop {
  private interface Lookup {
    List<String> addresses(String name) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    Lookup lookup = arguments.length > 0 && arguments[0].equals("jndi") ? jndi() : LookupLoop::inetAddress;
    BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
    for (String name = names.readLine(); name != null; name = names.readLine()) {
      long start = System.nanoTime();
      String verdict = verdict(lookup, name);
      System.out.println(name + " " + (System.nanoTime() - start) / 1000 + " " + verdict);
    }
  }

  private static String verdict(Lookup lookup, String name) {
    try {
      List<String> addresses = lookup.addresses(name);
      return addresses.isEmpty() ? "none" : "ok " + String.join(" ", addresses);
    } catch (NameNotFoundException absent) {
      return "none";
    } catch (UnknownHostException absent) {
      String why = String.valueOf(absent.getMessage());
      return why.contains("Temporary failure") ? "fail " + why : "none";
    } catch (Exception failure) {
      return "fail " + failure;
    }
  }

  private static List<String> inetAddress(String name) throws UnknownHostException {
    List<String> addresses = new ArrayList<>();
    for (InetAddress address : InetAddress.getAllByName(name)) addresses.add(address.getHostAddress());
    return addresses;
  }

  private static Lookup jndi() throws NamingException {
    Hashtable<String, String> settings = new Hashtable<>();
    settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
    settings.put(Context.PROVIDER_URL, "dns:");
    DirContext context = new InitialDirContext(settings);
    return name -> {
      List<String> addresses = new ArrayList<>();
      for (String type : new String[] {"A", "AAAA"}) {
        Attribute records = context.getAttributes(name, new String[] {type}).get(type);
        for (int i = 0; records != null && i < records.size(); i++) addresses.add((String) records.get(i));
      }
      return addresses;
    };
  }
}
